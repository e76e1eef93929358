package crypt

import (
	"bytes"
	"image/color"
	"image/png"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func testCard() Card {
	var code RecoveryCode
	for i := range code {
		code[i] = byte(i)
	}
	at := time.Date(2026, 11, 22, 23, 30, 0, 0, time.FixedZone("", -6*3600))
	return Card{Name: "Elm Street Dental", Repository: here, Created: at, Code: code}
}

func TestCardsHoldWhatARestoreNeeds(t *testing.T) {
	card := testCard()
	for name, page := range map[string]string{"text": card.Text(), "html": card.HTML()} {
		for _, want := range append(card.Code.groups(),
			"Elm Street Dental", "01020300000000000000000000000000", "22 November 2026", "RESTORE.txt",
			"chartkeep -r REPOSITORY restore latest --target FOLDER") {
			if !strings.Contains(page, want) {
				t.Errorf("%s card lacks %q", name, want)
			}
		}
	}
}

// What is printed as the code is what is accepted as the code.
func TestCodeCopiedFromTheCardIsAccepted(t *testing.T) {
	card := testCard()
	for name, page := range map[string]string{"text": card.Text(), "html": card.HTML()} {
		found := regexp.MustCompile(`\b[0-9A-Z]{5}(-[0-9A-Z]{5})+\b`).FindAllString(page, -1)
		if got, err := ParseRecoveryCode(strings.Join(found, "\n")); err != nil || got != card.Code {
			t.Errorf("%s card: %q: %v", name, found, err)
		}
	}
}

func TestTextCardFitsAPage(t *testing.T) {
	lines := strings.Split(testCard().Text(), "\n")
	if len(lines) > 66 {
		t.Errorf("the card has %d lines", len(lines))
	}
	for _, line := range lines {
		if utf8.RuneCountInString(line) > 80 {
			t.Errorf("too wide: %q", line)
		}
	}
}

func TestHTMLCardNeedsNothingElse(t *testing.T) {
	card := testCard()
	card.Name = `<script>alert("x")</script>`
	page := card.HTML()
	for _, bad := range []string{"<script", "http:", "https:", "//", "url(", "@import", "#ZgotmplZ"} {
		if strings.Contains(page, bad) && bad != "//" || bad == "//" && strings.Contains(withoutImage(page), bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	if !strings.Contains(page, `src="data:image/png;base64,`) {
		t.Error("the QR code is not in the page")
	}
}

func withoutImage(page string) string {
	return regexp.MustCompile(`base64,[^"]*`).ReplaceAllString(page, "")
}

// The golden symbol was read with an independent decoder.
func TestQRTextIsTheGoldenSymbol(t *testing.T) {
	golden(t, "qr.txt", func() []byte { return []byte(testCard().Code.QRText(true)) }, func(want []byte) {
		if got := testCard().Code.QRText(true); got != string(want) {
			t.Errorf("symbol is\n%s, want\n%s", got, want)
		}
	})
}

func TestQRForTerminalIsTheNegative(t *testing.T) {
	code := testCard().Code
	negative := strings.NewReplacer("█", " ", " ", "█", "▀", "▄", "▄", "▀").Replace(code.QRText(true))
	paper, terminal := strings.Split(negative, "\n"), strings.Split(code.QRText(false), "\n")
	for i := range 20 { // the last line is half margin, half nothing
		if paper[i] != terminal[i] {
			t.Errorf("line %d is %q, want %q", i, terminal[i], paper[i])
		}
	}
	if want := strings.Repeat("▀", 41); terminal[20] != want {
		t.Errorf("last line is %q, want %q", terminal[20], want)
	}
}

func TestQRPNGIsTheSymbolOfTheText(t *testing.T) {
	code := testCard().Code
	text := strings.Split(code.QRText(true), "\n")
	for _, scale := range []int{0, 1, 8} {
		img, err := png.Decode(bytes.NewReader(code.QRPNG(scale)))
		if err != nil {
			t.Fatal(err)
		}
		px := max(scale, 1)
		if got := img.Bounds().Dx(); got != 41*px || img.Bounds().Dy() != 41*px {
			t.Fatalf("image is %v wide at scale %d", img.Bounds(), scale)
		}
		for y := range 41 * px {
			for x := range 41 * px {
				block := []rune(text[y/px/2])[x/px]
				dark := block == '█' || block == '▀' && y/px%2 == 0 || block == '▄' && y/px%2 == 1
				if got := color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y == 0; got != dark {
					t.Fatalf("pixel %d, %d at scale %d is dark: %v", x, y, scale, got)
				}
			}
		}
	}
}
