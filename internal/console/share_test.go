package console_test

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"portaldb/internal/console"
)

// states are all that there are, and a part of what each says.
var states = map[console.ShareState]string{
	console.ShareReady: "Baixar arquivo", console.ShareSecret: "Informe a senha", console.ShareWrongSecret: "não confere", console.ShareTooMany: "15 minutos",
	console.ShareUnknown: "copiado por inteiro", console.ShareExpired: "prazo", console.ShareRevoked: "foi cancelado", console.ShareDeleted: "apagado",
	console.ShareUsedUp: "número máximo de downloads", console.ShareGone: "não pode mais", console.ShareFailed: "problema é do serviço",
}

// TestShare reads each page as a browser does: whole, in Portuguese, without anything from elsewhere, and with its own style.
func TestShare(t *testing.T) {
	t.Parallel()
	titles := map[string]console.ShareState{}
	for state, want := range states {
		page, err := console.Share(console.SharePage{State: state, Filename: "ofício.pdf", Size: 1536, Until: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)})
		if err != nil {
			t.Fatal(err)
		}
		root, err := html.Parse(strings.NewReader(string(page)))
		if err != nil {
			t.Fatal(err)
		}
		var title, style, lang string
		labels, inputs := map[string]bool{}, []string{}
		for n := range root.Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			attr := map[string]string{}
			for _, a := range n.Attr {
				attr[a.Key] = a.Val
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "src" || strings.Contains(a.Val, "//") {
					t.Errorf("%s: %s has %s=%q", state, n.Data, a.Key, a.Val)
				}
			}
			switch n.Data {
			case "html":
				lang = attr["lang"]
			case "title":
				title = n.FirstChild.Data
			case "style":
				style = n.FirstChild.Data
			case "label":
				labels[attr["for"]] = true
			case "input":
				inputs = append(inputs, attr["id"])
			case "script", "link", "iframe", "img":
				t.Errorf("%s: an element %s", state, n.Data)
			}
		}
		if lang != "pt-BR" || !strings.Contains(string(page), want) || !strings.Contains(string(page), "<h1>"+title+"</h1>") {
			t.Errorf("%s: %s", state, page)
		}
		if other, taken := titles[title]; taken {
			t.Errorf("%s and %s are both called %q", state, other, title)
		}
		titles[title] = state
		for _, id := range inputs {
			if !labels[id] {
				t.Errorf("%s: the input %q has no label", state, id)
			}
		}
		if (len(inputs) > 0) != (state == console.ShareSecret || state == console.ShareWrongSecret) {
			t.Errorf("%s: inputs %v", state, inputs)
		}
		sum := sha256.Sum256([]byte(style))
		if !strings.Contains(console.SharePolicy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
			t.Errorf("%s: the policy does not allow the page's style", state)
		}
		if shown := strings.Contains(string(page), "ofício.pdf"); shown != (state == console.ShareReady) {
			t.Errorf("%s: the file's name is shown: %v", state, shown)
		}
	}
}

func TestShare_File(t *testing.T) {
	t.Parallel()
	page, err := console.Share(console.SharePage{
		State: console.ShareReady, Filename: `</bdi><script>alert("x")</script>&amp;.pdf`, Size: 1536, Until: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<bdi>&lt;/bdi&gt;&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;&amp;amp;.pdf</bdi>`, "1,5 KB", `<time datetime="2026-01-31T12:00:00Z">31/01/2026 às 09:00 (horário de Brasília)</time>`,
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("no %s in %s", want, page)
		}
	}
	if page, err = console.Share(console.SharePage{State: console.ShareReady, Filename: "nota\u202efdp.exe\u2066\n\u200e"}); err != nil || !strings.Contains(string(page), "<bdi>nota\ufffdfdp.exe\ufffd\ufffd\u200e</bdi>") {
		t.Errorf("a name that reads in another order: %s, %v", page, err)
	}
	for size, want := range map[int64]string{
		0: "0 bytes", 1: "1 byte", 1023: "1023 bytes", 1024: "1,0 KB", 10 << 10: "10 KB", 999 << 10: "999 KB", 1000 << 10: "1,0 MB", 5 << 29: "2,5 GB", 1<<63 - 1: "8,0 EB",
	} {
		page, err := console.Share(console.SharePage{State: console.ShareReady, Size: size})
		if err != nil || !strings.Contains(string(page), "<dd>"+want+"</dd>") {
			t.Errorf("%d: no %s, %v", size, want, err)
		}
	}
}
