package content

import (
	"archive/zip"
	"bytes"
	"image"
	"image/color"
	jpg "image/jpeg"
	pngs "image/png"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

// picture is a photo-like one: noise, which does not compress.
func picture(t testing.TB, encode func(io.Writer, image.Image) error) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 400, 300))
	noise := rand.New(rand.NewPCG(1, 2))
	for i := range m.Pix {
		m.Pix[i] = byte(noise.UintN(256))
	}
	m.SetGray(0, 0, color.Gray{})
	var b bytes.Buffer
	if err := encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func archive(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create("xl/vbaProject.bin")
	if err == nil {
		_, err = f.Write([]byte("macro"))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func join(parts ...any) []byte {
	var b bytes.Buffer
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			b.WriteString(p)
		case []byte:
			b.Write(p)
		}
	}
	return b.Bytes()
}

const page = "%PDF-1.7\n1 0 obj << /Type /Catalog /Pages 2 0 R /Lang (zh) /JSONData 3 >> endobj\ntrailer << /Root 1 0 R >>\n"

func TestWhatIsShown(t *testing.T) {
	shot := picture(t, pngs.Encode)
	photo := picture(t, func(w io.Writer, m image.Image) error { return jpg.Encode(w, m, nil) })
	body := shot[:len(shot)-12] // without its last chunk
	end := shot[len(shot)-12:]
	comment := func(text string) []byte { // a tEXt chunk, whose checksum browsers do not mind
		return join("\x00\x00\x00", string(rune(len(text))), "tEXt", text, "\x00\x00\x00\x00")
	}
	webpFile := join("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00")
	for name, c := range map[string]struct {
		bytes []byte
		media string
		show  bool
	}{
		"png":                        {shot, png, true},
		"jpeg":                       {photo, jpeg, true},
		"webp":                       {webpFile, webp, true},
		"pdf":                        {join(page, "%%EOF\n"), pdf, true},
		"png, html in a comment":     {join(body, comment("Comment\x00<HTML><scr"), end), png, false},
		"png, script after its end":  {join(shot, "<script>alert(1)</script>"), png, false},
		"png, bytes after its end":   {join(shot, "x"), png, false},
		"png, cut off":               {body, png, false},
		"png, no picture":            {[]byte("\x89PNG\r\n\x1a\n"), png, false},
		"png, too large to show":     {join("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x01\x00\x00\x00\x01\x00\x00\x08\x06\x00\x00\x00\xaa\x69\x71\xde", end), png, false},
		"jpeg, zip":                  {join(photo, archive(t)), jpeg, false},
		"jpeg, pdf":                  {join(photo, page), jpeg, false},
		"jpeg, php":                  {join(photo, "<?PHP system($_GET[0]);"), jpeg, false},
		"webp, html":                 {join(webpFile, "<html>"), webp, false},
		"pdf, script":                {join(page, "<< /S /JavaScript /JS (app.alert(1)) >>\n%%EOF"), pdf, false},
		"pdf, script in other words": {join(page, "<< /S /J#61vaScript /#4aS 4 0 R >>\n%%EOF"), pdf, false},
		"pdf, program":               {join(page, "<< /S /Launch /F (cmd.exe) >>\n%%EOF"), pdf, false},
		"pdf, attachment":            {join(page, "<< /Type /EmbeddedFile >>\n%%EOF"), pdf, false},
		"pdf, html":                  {join(page, "<html><script>\n%%EOF"), pdf, false},
		"pdf, zip":                   {join(page, "%%EOF\n", archive(t)), pdf, false},
		"pdf, no end":                {[]byte(page), pdf, false},
		"html":                       {[]byte("<!DOCTYPE html><script>alert(1)</script>"), "text/html", false},
		"svg":                        {[]byte(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), "image/svg+xml", false},
		"svg, bare":                  {[]byte(`<svg onload="alert(1)"/>`), "image/svg+xml", false},
		"virus test":                 {[]byte(`X5O!P%@AP[4\PZX54(P^)7CC)7}$` + `EICAR-STANDARD-ANTIVIRUS-TEST-` + `FILE!$H+H*`), "text/plain", false},
		"program":                    {[]byte("MZ\x90\x00\x03\x00\x00\x00\x04"), Unknown, false},
		"elf":                        {[]byte("\x7fELF\x02\x01\x01\x00"), Unknown, false},
		"workbook with macros":       {archive(t), "application/zip", false},
		"gif":                        {[]byte("GIF89a\x01\x00\x01\x00"), "image/gif", false},
		"text":                       {[]byte("Laborbericht 检验报告"), "text/plain", false},
		"nothing":                    {nil, "text/plain", false},
	} {
		for reader, r := range map[string]io.Reader{"whole": bytes.NewReader(c.bytes), "bit by bit": iotest.OneByteReader(bytes.NewReader(c.bytes))} {
			media, show, err := Examine(r)
			if err != nil || media != c.media || show != c.show {
				t.Errorf("%s, %s: %s, %v, %v; want %s, %v", name, reader, media, show, err, c.media, c.show)
			}
		}
	}
}

// Words are found wherever they stand, also where one block that is read ends and the next begins.
func TestFoundAtEveryPlace(t *testing.T) {
	for at := 64<<10 - 20; at < 64<<10+5; at++ {
		text := strings.Repeat(" ", at) + "/J#41vaScript" + strings.Repeat(" ", 200_000)
		if _, found, err := search(strings.NewReader(text), active[pdf], true); !found || err != nil {
			t.Errorf("not found at %d: %v", at, err)
		}
	}
	if _, found, _ := search(strings.NewReader(strings.Repeat("Java Script / JS ", 10_000)), active[pdf], true); found {
		t.Error("found where it is not")
	}
}

func TestUnreadable(t *testing.T) {
	shot := picture(t, pngs.Encode)
	for _, r := range []io.Reader{iotest.ErrReader(io.ErrNoProgress), io.MultiReader(bytes.NewReader(shot[:100_000]), iotest.ErrReader(io.ErrNoProgress))} {
		if _, show, err := Examine(r); err == nil || show {
			t.Error("an error is lost")
		}
	}
}

func FuzzExamine(f *testing.F) {
	f.Add(picture(f, pngs.Encode))
	f.Add(join(page, "<< /J#53 (x) >>%%EOF"))
	f.Add([]byte("RIFF....WEBPVP8 #"))
	f.Fuzz(func(t *testing.T, b []byte) {
		media, show, err := Examine(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if show && (bytes.Contains(bytes.ToLower(b), []byte("<script")) || !IsPicture(media) && media != pdf) {
			t.Errorf("%q is shown", b)
		}
	})
}
