// Package console is what people of the agency see in a browser, in Brazilian Portuguese.
package console

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"
	"time"
	"unicode"
)

//go:embed share.html
var shareHTML string

//go:embed share.css
var shareCSS string

// SharePolicy is the Content-Security-Policy of the share page: its own style sheet, its own form, and nothing else.
var SharePolicy = func() string {
	sum := sha256.Sum256([]byte(shareCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
}()

// ShareState is what a share page has to say.
type ShareState string

// The states.
const (
	ShareReady       ShareState = "ready"        // the file can be downloaded
	ShareSecret      ShareState = "secret"       // it needs its secret
	ShareWrongSecret ShareState = "wrong_secret" // another one than was given
	ShareTooMany     ShareState = "too_many"     // too many wrong secrets were tried
	ShareUnknown     ShareState = "unknown"      // there is no such link
	ShareExpired     ShareState = "expired"      // the link or its file
	ShareRevoked     ShareState = "revoked"
	ShareDeleted     ShareState = "deleted"
	ShareUsedUp      ShareState = "used_up" // as many downloads as there may be were started
	ShareGone        ShareState = "gone"    // for whatever reason
	ShareFailed      ShareState = "failed"  // the service did
)

// SharePage is what a share page shows. What is not needed in its State is not looked at.
type SharePage struct {
	State    ShareState
	Filename string
	Size     int64     // in bytes
	Until    time.Time // when the link ends
}

// Share returns the page.
func Share(page SharePage) ([]byte, error) {
	var out bytes.Buffer
	page.Filename = legible(page.Filename)
	err := shareTemplate.Execute(&out, page)
	return out.Bytes(), err
}

var shareTemplate = template.Must(template.New("share").Funcs(template.FuncMap{
	"css":  func() template.CSS { return template.CSS(shareCSS) }, //nolint:gosec // a file of ours
	"size": sizeText,
	"when": whenText,
}).Parse(shareHTML))

// legible shows what would otherwise have a name read in another order than it has: "exe" as the end of a text.
func legible(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || '\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069' {
			return '\ufffd'
		}
		return r
	}, name)
}

// sizeText is a size as people read it, with a decimal comma.
func sizeText(size int64) string {
	if size == 1 {
		return "1 byte"
	}
	if size < 1<<10 {
		return fmt.Sprintf("%d bytes", size)
	}
	value, unit := float64(size), ""
	for _, unit = range []string{"KB", "MB", "GB", "TB", "PB", "EB"} {
		if value /= 1 << 10; value < 1000 {
			break
		}
	}
	if value < 10 {
		return strings.Replace(fmt.Sprintf("%.1f %s", value, unit), ".", ",", 1)
	}
	return fmt.Sprintf("%.0f %s", value, unit)
}

// brasilia is the agency's time. Where the machine has no time zones, it is what it has been since 2019.
var brasilia = func() *time.Location {
	if zone, err := time.LoadLocation("America/Sao_Paulo"); err == nil {
		return zone
	}
	return time.FixedZone("-03", -3*60*60)
}()

func whenText(t time.Time) string {
	return t.In(brasilia).Format("02/01/2006 às 15:04") + " (horário de Brasília)"
}
