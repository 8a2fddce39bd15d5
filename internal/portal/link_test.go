package portal_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"portaldb/internal/portal"
)

var (
	writer = portal.Token{Name: "bff", Role: portal.RoleWriter}
	admin  = portal.Token{Name: "chefe", Role: portal.RoleAdmin}
)

func (b *filesBundle) link(t testing.TB, fileID string, n portal.NewLink) (portal.Link, string) {
	t.Helper()
	link, token, err := b.files.CreateLink(t.Context(), writer, fileID, n)
	if err != nil {
		t.Fatal(err)
	}
	return link, token
}

// follow opens a link, starts the download and returns the bytes.
func (b *filesBundle) follow(t testing.TB, token string, a portal.Access) (string, error) {
	t.Helper()
	d, err := b.files.OpenLink(t.Context(), token, a)
	if err != nil {
		return "", err
	}
	defer d.Close()
	if err := d.Start(t.Context(), 0); err != nil {
		return "", err
	}
	return b.download(t, d), nil
}

func TestFiles_Links(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	file := b.upload(t, "texto", portal.NewFile{TTL: "7d", OwnerID: ptr("00000000001")})
	day, token := b.link(t, file.ID, portal.NewLink{Expires: "1d", ActorCPF: ptr("00000000002")})
	month, _ := b.link(t, file.ID, portal.NewLink{Expires: "30d", ActorCPF: ptr("")})
	if got := day.ExpiresAt.Sub(day.CreatedAt); got != 24*time.Hour || day.CreatedBy != "bff" || *day.ActorCPF != "00000000002" || day.FileID != file.ID {
		t.Errorf("%+v", day)
	}
	if !month.ExpiresAt.Equal(file.ExpiresAt) || month.ActorCPF != nil {
		t.Errorf("%+v outlives %s", month, file.ExpiresAt)
	}
	if n := value[int](t, b.bundle, "SELECT count(*) FROM service.file_links WHERE token_hash = sha256($1::text::bytea) AND NOT row(file_links)::text LIKE '%' || $1 || '%'", token); n != 1 {
		t.Error("the token is kept, or its hash is not")
	}
	if got, err := b.follow(t, token, portal.Access{Address: "192.0.2.1"}); got != "texto" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	d, err := b.files.OpenLink(t.Context(), token, portal.Access{})
	if err != nil || !d.Until.Equal(day.ExpiresAt) {
		t.Fatalf("%+v, %v", d, err)
	}
	defer d.Close()

	list, err := b.files.ListLinks(t.Context(), file.ID, portal.PageRequest{Limit: 1})
	if err != nil || len(list.Items) != 1 || list.NextCursor == "" {
		t.Fatalf("%+v, %v", list, err)
	}
	rest, err := b.files.ListLinks(t.Context(), file.ID, portal.PageRequest{Cursor: list.NextCursor})
	if err != nil || rest.NextCursor != "" {
		t.Fatal(rest, err)
	}
	if diff := cmp.Diff([]portal.Link{month, day}, append(list.Items, rest.Items...)); diff != "" {
		t.Error(diff)
	}

	other := b.upload(t, "outro", portal.NewFile{})
	for _, id := range []string{"", "x", uuid.NewString(), month.ID.String() + "x"} {
		if err := b.files.RevokeLink(t.Context(), "bff", file.ID, id); !errors.Is(err, portal.ErrNoLink) {
			t.Errorf("revoke %q: %v", id, err)
		}
	}
	if err := b.files.RevokeLink(t.Context(), "bff", other.ID, day.ID.String()); !errors.Is(err, portal.ErrNoLink) {
		t.Errorf("revoked by way of another file: %v", err)
	}
	for range 2 {
		if err := b.files.RevokeLink(t.Context(), "bff", file.ID, day.ID.String()); err != nil {
			t.Error(err)
		}
	}
	if _, err := b.follow(t, token, portal.Access{}); !errors.Is(err, portal.ErrLinkRevoked) {
		t.Errorf("revoked: %v", err)
	}
	if err := d.Start(t.Context(), 0); !errors.Is(err, portal.ErrLinkRevoked) {
		t.Errorf("revoked before the first byte: %v", err)
	}
	want := []string{
		`00000000001 fileshare uploaded {"size": 5, "owner": "00000000001", "token": "bff", "filename": "relatório.txt"}`,
		`00000000002 fileshare link_created {"size": 5, "owner": "00000000001", "token": "bff", "filename": "relatório.txt"}`,
		`fileshare link_created {"size": 5, "owner": "00000000001", "token": "bff", "filename": "relatório.txt"}`,
		`anonymous fileshare downloaded_shared_link {"size": 5, "owner": "00000000001", "address": "192.0.2.1", "filename": "relatório.txt"}`,
		`fileshare link_revoked {"size": 5, "owner": "00000000001", "token": "bff", "filename": "relatório.txt"}`,
	}
	if diff := cmp.Diff(want, b.events(t, file.ID)); diff != "" {
		t.Error(diff)
	}
}

func TestFiles_Links_End(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	file := b.upload(t, "texto", portal.NewFile{})
	_, token := b.link(t, file.ID, portal.NewLink{})
	for _, absent := range []string{"", "x", strings.Repeat("x", 100_000), strings.ToLower(token), token + "A", "a\x00\xff"} {
		if _, err := b.follow(t, absent, portal.Access{}); !errors.Is(err, portal.ErrNoLink) {
			t.Errorf("%.20q: %v", absent, err)
		}
	}
	b.exec(t, "UPDATE service.file_links SET expires_at = now()")
	if _, err := b.follow(t, token, portal.Access{}); !errors.Is(err, portal.ErrLinkExpired) {
		t.Errorf("expired: %v", err)
	}
	b.exec(t, "UPDATE service.file_links SET expires_at = now() + interval '1 day'; UPDATE fileshare_items SET expires_at = now()")
	if _, err := b.follow(t, token, portal.Access{}); !errors.Is(err, portal.ErrFileExpired) {
		t.Errorf("expired file: %v", err)
	}
	_, _, err := b.files.CreateLink(t.Context(), admin, file.ID, portal.NewLink{})
	if !errors.Is(err, portal.ErrFileExpired) {
		t.Errorf("link to an expired file: %v", err)
	}
	b.exec(t, "UPDATE fileshare_items SET expires_at = now() + interval '1 day', deleted_at = now()")
	if _, err := b.follow(t, token, portal.Access{}); !errors.Is(err, portal.ErrFileDeleted) {
		t.Errorf("deleted file: %v", err)
	}
	for _, test := range []struct {
		id   string
		link portal.NewLink
		code portal.Code
	}{
		{"absent", portal.NewLink{}, portal.CodeNotFound}, {file.ID, portal.NewLink{}, portal.CodeGone}, {file.ID, portal.NewLink{Expires: "2d"}, portal.CodeInvalid},
		{file.ID, portal.NewLink{ActorCPF: ptr(strings.Repeat("1", 201))}, portal.CodeInvalid},
	} {
		_, _, err := b.files.CreateLink(t.Context(), writer, test.id, test.link)
		wantCode(t, err, test.code)
	}
	if _, err := b.files.ListLinks(t.Context(), "absent", portal.PageRequest{}); !errors.Is(err, portal.ErrNoFile) {
		t.Errorf("links of no file: %v", err)
	}
	b.exec(t, "UPDATE service.file_links SET expires_at = now() - interval '91 days'")
	b.sweep(t)
	if n := value[int](t, b.bundle, "SELECT count(*) FROM service.file_links"); n != 0 {
		t.Errorf("%d links long past are kept", n)
	}
}

func TestFiles_Links_Protected(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	owned := b.upload(t, "texto", portal.NewFile{Secret: "s3nha", OwnerID: ptr("00000000001")})
	nobodys := b.upload(t, "texto", portal.NewFile{Secret: "s3nha"})
	for _, test := range []struct {
		token portal.Token
		id    string
		link  portal.NewLink
		want  portal.Code
	}{
		{writer, owned.ID, portal.NewLink{}, portal.CodeForbidden},
		{writer, owned.ID, portal.NewLink{Secret: ptr("errada")}, portal.CodeForbidden},
		{writer, owned.ID, portal.NewLink{Secret: ptr("s3nha")}, ""},
		{writer, owned.ID, portal.NewLink{Secret: ptr("s3nha"), ActorCPF: ptr("00000000001")}, ""},
		{writer, owned.ID, portal.NewLink{Secret: ptr("s3nha"), ActorCPF: ptr("00000000002")}, portal.CodeForbidden},
		{writer, owned.ID, portal.NewLink{ActorCPF: ptr("00000000001")}, portal.CodeForbidden},
		{writer, nobodys.ID, portal.NewLink{Secret: ptr("s3nha"), ActorCPF: ptr("00000000001")}, portal.CodeForbidden},
		{writer, nobodys.ID, portal.NewLink{Secret: ptr("s3nha")}, ""},
		{admin, owned.ID, portal.NewLink{}, ""},
		{admin, owned.ID, portal.NewLink{ActorCPF: ptr("00000000002")}, ""},
	} {
		_, token, err := b.files.CreateLink(t.Context(), test.token, test.id, test.link)
		if test.want != "" {
			wantCode(t, err, test.want)
			continue
		}
		if err != nil {
			t.Errorf("%+v: %v", test, err)
			continue
		}
		if got, err := b.follow(t, token, portal.Access{}); got != "texto" || err != nil {
			t.Errorf("%q, %v", got, err) // without the secret
		}
	}
}

// legacyLink signs a link as the legacy code does.
func legacyLink(id string, expires int64, key string) string {
	signed := fmt.Sprintf("%s.%d", id, expires)
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(signed))
	return signed + "." + hex.EncodeToString(mac.Sum(nil))
}

func TestFiles_Links_Legacy(t *testing.T) {
	t.Parallel()
	b := setupFiles(t, func(cfg *portal.FilesConfig) { cfg.SessionSecret = "key" })
	b.legacy(t, "legacy-AAAAAAA", "antigo")
	tomorrow := time.Now().Add(24 * time.Hour).Unix()
	token := legacyLink("legacy-AAAAAAA", tomorrow, "key")
	if got, err := b.follow(t, token, portal.Access{}); got != "antigo" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	d, err := b.files.OpenLink(t.Context(), token, portal.Access{})
	if err != nil || d.Until.Unix() != tomorrow {
		t.Fatalf("%+v, %v", d, err)
	}
	d.Close()
	if diff := cmp.Diff([]string{`anonymous fileshare downloaded_shared_link {"size": 6, "owner": "00000000001", "address": "", "filename": "antigo.txt"}`}, b.events(t, "legacy-AAAAAAA")); diff != "" {
		t.Error(diff)
	}
	for name, test := range map[string]struct {
		token string
		want  error
	}{
		"past":           {legacyLink("legacy-AAAAAAA", time.Now().Unix()-1, "key"), portal.ErrLinkExpired},
		"unknown file":   {legacyLink("absent", tomorrow, "key"), portal.ErrNoFile},
		"another key":    {legacyLink("legacy-AAAAAAA", tomorrow, "other"), portal.ErrNoLink},
		"longer life":    {strings.Replace(token, fmt.Sprint(tomorrow), fmt.Sprint(tomorrow+1), 1), portal.ErrNoLink},
		"no signature":   {fmt.Sprintf("legacy-AAAAAAA.%d.", tomorrow), portal.ErrNoLink},
		"no time":        {"legacy-AAAAAAA.." + token[len(token)-64:], portal.ErrNoLink},
		"only dots":      {"...", portal.ErrNoLink},
		"one dot":        {".", portal.ErrNoLink},
		"huge":           {strings.Repeat("x.", 100_000), portal.ErrNoLink},
		"huge time":      {legacyLink("legacy-AAAAAAA", 0, "key") + "9.9", portal.ErrNoLink},
		"a byte too few": {token[:len(token)-2], portal.ErrNoLink},
	} {
		if _, err := b.follow(t, test.token, portal.Access{}); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	if _, err := b.replica().OpenLink(t.Context(), token, portal.Access{}); !errors.Is(err, portal.ErrNoLink) {
		t.Errorf("without a key: %v", err)
	}
	if _, err := b.replica().OpenLink(t.Context(), legacyLink("legacy-AAAAAAA", tomorrow, ""), portal.Access{}); !errors.Is(err, portal.ErrNoLink) {
		t.Errorf("signed with the empty key: %v", err)
	}
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.IntRange(0, len(token)-1).Draw(t, "place")
		changed := token[:i] + string(rapid.Byte().Draw(t, "byte")) + token[i+1:]
		if strings.EqualFold(changed, token) && changed[:len(token)-64] == token[:len(token)-64] {
			return // hexadecimal digits of either case
		}
		if d, err := b.files.OpenLink(context.Background(), changed, portal.Access{}); err == nil {
			d.Close()
			t.Fatalf("%q opens", changed)
		}
	})

	b.exec(t, `UPDATE fileshare_items SET secret_hash = 'sha256:00:' || encode(sha256('00s3nha'), 'hex')`)
	for _, test := range []struct {
		secret *string
		want   error
	}{{nil, portal.ErrSecretRequired}, {ptr("errada"), portal.ErrSecretWrong}, {ptr("s3nha"), nil}} {
		if _, err := b.follow(t, token, portal.Access{Secret: test.secret}); !errors.Is(err, test.want) {
			t.Errorf("%v, want %v", err, test.want)
		}
	}
}
