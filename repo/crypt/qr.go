package crypt

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// quiet is the width of the light margin that ISO/IEC 18004 asks for, modules.
const quiet = 4

// qrModules reports which modules of the code's QR symbol are dark, margin
// included. Capital letters, digits and dashes fit QR's alphanumeric mode, so
// that version 4 (33 modules) holds them with level M.
func (c RecoveryCode) qrModules() (dark func(x, y int) bool, size int) {
	// Encode fails only for other characters or too many.
	symbol := must(qr.Encode(c.String(), qr.M, qr.AlphaNumeric))
	inner := symbol.Bounds()
	dark = func(x, y int) bool {
		p := image.Pt(x-quiet, y-quiet)
		return p.In(inner) && symbol.At(p.X, p.Y) == color.Black
	}
	return dark, inner.Dx() + 2*quiet
}

// QRText is the code's QR symbol as text, 41 columns and 21 lines of half
// blocks. What is drawn is the light part, for light text on a dark terminal;
// with onPaper it is the dark part, for dark text on a light ground.
func (c RecoveryCode) QRText(onPaper bool) string {
	dark, size := c.qrModules()
	ink := func(x, y int) bool { return y < size && dark(x, y) == onPaper }
	var text strings.Builder
	for y := 0; y < size; y += 2 {
		for x := range size {
			text.WriteString(halfBlock(ink(x, y), ink(x, y+1)))
		}
		text.WriteByte('\n')
	}
	return text.String()
}

func halfBlock(upper, lower bool) string {
	switch {
	case upper && lower:
		return "█"
	case upper:
		return "▀"
	case lower:
		return "▄"
	}
	return " "
}

// QRPNG is the code's QR symbol as a PNG image, black on white, with modules of
// scale by scale pixels (at least one).
func (c RecoveryCode) QRPNG(scale int) []byte {
	scale = max(scale, 1)
	dark, size := c.qrModules()
	img := image.NewPaletted(image.Rect(0, 0, size*scale, size*scale), color.Palette{color.White, color.Black})
	for i := range img.Pix {
		if dark(i%img.Stride/scale, i/img.Stride/scale) {
			img.Pix[i] = 1
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		panic(err) // a buffer takes everything, and the image is small
	}
	return out.Bytes()
}
