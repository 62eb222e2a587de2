// Package qrcode draws QR codes (ISO/IEC 18004) for screens, paper and terminals.
package qrcode

import (
	"bytes"
	"fmt"
	"io"
	"strconv"

	"rsc.io/qr"
)

// quiet is the width of the empty border in modules that readers need (ISO/IEC 18004, section 6.3.8).
const quiet = 4

// scale is the width of a module in the PNG: a code of 41 modules is 400 pixels wide, sharp on a screen and on a label.
const scale = 8

// MaxText is the longest text that is drawn: what a code of a size that telephones read reliably can hold.
const MaxText = 1000 // bytes

func encode(text string) (*qr.Code, error) {
	if text == "" || len(text) > MaxText {
		return nil, fmt.Errorf("qrcode: the text has %d bytes, 1 to %d can be drawn", len(text), MaxText)
	}
	// Level M restores 15 %: what GS1 recommends for packs (General Specifications, section 5.6.3).
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil, fmt.Errorf("qrcode: %w", err)
	}
	return code, nil
}

// PNG draws text as a black and white PNG with its quiet zone.
func PNG(text string) ([]byte, error) {
	code, err := encode(text)
	if err != nil {
		return nil, err
	}
	code.Scale = scale
	return code.PNG(), nil
}

// SVG draws text as an SVG of one path, always black on white, with its quiet zone.
func SVG(text string) ([]byte, error) {
	code, err := encode(text)
	if err != nil {
		return nil, err
	}
	size := code.Size + 2*quiet
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges" role="img" aria-label="QR">`+
		`<path fill="#fff" d="M0 0h%dv%dH0z"/><path d="`, size, size, size, size)
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			run := runLength(code, x, y)
			if run == 0 {
				continue
			}
			b.WriteString("M" + strconv.Itoa(x+quiet) + " " + strconv.Itoa(y+quiet) + "h" + strconv.Itoa(run) + "v1h-" + strconv.Itoa(run) + "z")
			x += run
		}
	}
	b.WriteString(`"/></svg>`)
	return b.Bytes(), nil
}

// runLength is how many modules from x on are black.
func runLength(code *qr.Code, x, y int) int {
	n := 0
	for code.Black(x+n, y) { // false outside
		n++
	}
	return n
}

// Terminal draws text with half blocks, two modules a character. It is light on dark whatever the terminal's colours,
// because ANSI colours are set.
func Terminal(w io.Writer, text string) error {
	code, err := encode(text)
	if err != nil {
		return err
	}
	const border = 2 // enough on a screen, and fits into 80 columns
	var b bytes.Buffer
	for y := -border; y < code.Size+border; y += 2 {
		b.WriteString("\x1b[30;107m") // black on bright white
		for x := -border; x < code.Size+border; x++ {
			top, bottom := code.Black(x, y), code.Black(x, y+1)
			switch {
			case top && bottom:
				b.WriteString("█")
			case top:
				b.WriteString("▀")
			case bottom:
				b.WriteString("▄")
			default:
				b.WriteByte(' ')
			}
		}
		b.WriteString("\x1b[0m\n")
	}
	_, err = w.Write(b.Bytes())
	return err
}
