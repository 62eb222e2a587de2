package qrcode

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

const address = "https://trace.example.org/01/06900112000018/10/260414105"

func read(t *testing.T, picture image.Image) string {
	t.Helper()
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		t.Fatal(err)
	}
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
	if err != nil {
		t.Fatal(err)
	}
	return result.GetText()
}

func TestPNG(t *testing.T) {
	for _, text := range []string{"a", address, strings.Repeat("x", 300)} {
		body, err := PNG(text)
		if err != nil {
			t.Fatal(err)
		}
		picture, err := png.Decode(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, picture); got != text {
			t.Errorf("read %q, want %q", got, text)
		}
	}
}

// The SVG is drawn by hand: its runs of modules are painted into a picture and read.
func TestSVG(t *testing.T) {
	body, err := SVG(address)
	if err != nil {
		t.Fatal(err)
	}
	var svg struct {
		ViewBox string `xml:"viewBox,attr"`
		Paths   []struct {
			D string `xml:"d,attr"`
		} `xml:"path"`
	}
	if err := xml.Unmarshal(body, &svg); err != nil || len(svg.Paths) != 2 {
		t.Fatalf("%v: %s", err, body)
	}
	const zoom = 4
	picture := white(zoom)
	for _, run := range strings.Split(strings.TrimPrefix(svg.Paths[1].D, "M"), "M") {
		x, y, n := parseRun(t, run)
		for i := range n * zoom {
			for j := range zoom {
				picture.SetGray(x*zoom+i, y*zoom+j, color.Gray{})
			}
		}
	}
	if got := read(t, picture); got != address {
		t.Errorf("read %q", got)
	}
}

func parseRun(t *testing.T, run string) (x, y, n int) {
	t.Helper()
	fields := strings.FieldsFunc(run, func(r rune) bool { return r < '0' || r > '9' })
	if len(fields) < 3 {
		t.Fatalf("run %q", run)
	}
	for i, p := range []*int{&x, &y, &n} {
		for _, d := range fields[i] {
			*p = *p*10 + int(d-'0')
		}
	}
	return x, y, n
}

func white(zoom int) *image.Gray {
	const modules = 200
	p := image.NewGray(image.Rect(0, 0, modules*zoom, modules*zoom))
	for i := range p.Pix {
		p.Pix[i] = 255
	}
	return p
}

func TestTerminal(t *testing.T) {
	var b bytes.Buffer
	if err := Terminal(&b, address); err != nil {
		t.Fatal(err)
	}
	const zoom = 4
	picture := white(zoom)
	paint := func(x, y int) {
		for i := range zoom {
			for j := range zoom {
				picture.SetGray(x*zoom+i+40, y*zoom+j+40, color.Gray{})
			}
		}
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	for y, line := range lines {
		line = strings.TrimSuffix(strings.TrimPrefix(line, "\x1b[30;107m"), "\x1b[0m")
		x := 0
		for _, r := range line {
			if r == '█' || r == '▀' {
				paint(x, 2*y)
			}
			if r == '█' || r == '▄' {
				paint(x, 2*y+1)
			}
			x++
		}
		if x > 80 {
			t.Errorf("line %d is %d columns wide", y, x)
		}
	}
	if got := read(t, picture); got != address {
		t.Errorf("read %q", got)
	}
}

func TestRefuses(t *testing.T) {
	for _, text := range []string{"", strings.Repeat("x", MaxText+1)} {
		if _, err := PNG(text); err == nil {
			t.Errorf("PNG of %d bytes", len(text))
		}
		if _, err := SVG(text); err == nil {
			t.Errorf("SVG of %d bytes", len(text))
		}
		if err := Terminal(io.Discard, text); err == nil {
			t.Errorf("Terminal of %d bytes", len(text))
		}
	}
	if _, err := PNG(strings.Repeat("x", MaxText)); err != nil {
		t.Error(err)
	}
	if err := Terminal(failing{}, "a"); err == nil {
		t.Error("a failing writer went unnoticed")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("no") }
