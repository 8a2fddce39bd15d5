package httpapi_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"portaldb/internal/blob"
	"portaldb/internal/httpapi"
	"portaldb/internal/portal"
)

// A form as it is sent. Names of files are in the tests' hands, so package mime/multipart does not write it.
const (
	formType     = "multipart/form-data"
	formBoundary = "portaldb-boundary"
)

// formBody returns a form of parts, names and values by turns. The file's name is relatório.pdf.
func formBody(parts ...string) string {
	var b strings.Builder
	for i := 0; i < len(parts); i += 2 {
		b.WriteString("--" + formBoundary + "\r\nContent-Disposition: form-data; name=\"" + parts[i] + `"`)
		if parts[i] == "file" {
			b.WriteString("; filename=\"relatório.pdf\"\r\nContent-Type: application/pdf")
		}
		b.WriteString("\r\n\r\n" + parts[i+1] + "\r\n")
	}
	b.WriteString("--" + formBoundary + "--\r\n")
	return b.String()
}

type file struct {
	ID, Filename string
	Size         int64
	ContentType  *string    `json:"content_type"`
	OwnerID      *string    `json:"owner_id"`
	OwnerName    *string    `json:"owner_name"`
	CreatedAt    time.Time  `json:"created_at"`
	ExpiresAt    time.Time  `json:"expires_at"`
	DeletedAt    *time.Time `json:"deleted_at"`
	Protected    bool
	Downloads    int
	MaxDownloads *int `json:"max_downloads"`
	SHA256       *string
}

type link struct {
	ID, URL, Token string
	ExpiresAt      time.Time `json:"expires_at"`
}

// upload makes a file of a form.
func (b *bundle) upload(t testing.TB, parts ...string) file {
	t.Helper()
	return decode[file](t, b.post(t, formBody(parts...)), 201)
}

func (b *bundle) post(t testing.TB, form string, header ...string) answer {
	t.Helper()
	return b.request(t, "POST", "/v1/files", form, append([]string{"Content-Type", formType + "; boundary=" + formBoundary}, header...)...)
}

// downloads is how often a file counts as downloaded, and how many events there are of that.
func (b *bundle) downloads(t testing.TB, id string) (n int) {
	t.Helper()
	n = decode[file](t, b.request(t, "GET", "/v1/files/"+id, ""), 200).Downloads
	var events int
	if err := b.conn.QueryRow(t.Context(), "SELECT count(*) FROM automation_audits WHERE kind = 'fileshare' AND action LIKE 'download%' AND meta->>'target_id' = $1", id).Scan(&events); err != nil {
		t.Fatal(err)
	}
	if events != n {
		t.Errorf("%d downloads, %d events", n, events)
	}
	return n
}

// addFile makes a file as the legacy code does, with more columns, names and values by turns.
func (b *bundle) addFile(t testing.TB, id, content string, columns ...any) {
	t.Helper()
	at := time.Now().UTC()
	path := filepath.Join(b.root, at.Format("2006/01/02"), id)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	names, values, args := "", "", []any{id, len(content), path, at, at.Add(7 * 24 * time.Hour)}
	for i := 0; i < len(columns); i += 2 {
		args = append(args, columns[i+1])
		names += fmt.Sprintf(", %s", columns[i])
		values += fmt.Sprintf(", $%d", len(args))
	}
	b.exec(t, "INSERT INTO fileshare_items (id, filename, size, path, created_at, expires_at"+names+") VALUES ($1, 'legado.txt', $2, $3, $4, $5"+values+")", args...)
}

func legacyHash(secret string) string {
	const salt = "0123456789abcdef"
	sum := sha256.Sum256([]byte(salt + secret))
	return "sha256:" + salt + ":" + hex.EncodeToString(sum[:])
}

func legacyLink(id string, expires time.Time) string {
	text := id + "." + strconv.FormatInt(expires.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(sessionSecret))
	mac.Write([]byte(text))
	return text + "." + hex.EncodeToString(mac.Sum(nil))
}

// addExamples makes the file and the link that the examples of the description name.
func (b *bundle) addExamples(t testing.TB) {
	t.Helper()
	const id, token = "Zm9vLWJhcl9iYX", "TQW7C2K4N5X6Y7Z2A3B4C5D6E7"
	b.addFile(t, id, "the bytes")
	hash := sha256.Sum256([]byte(token))
	b.exec(t, `INSERT INTO service.file_links (id, file_id, token_hash, expires_at, created_by)
		VALUES ('0b0e6b0c-6f0e-4f4b-9f0a-3d1f5d1c2b3a', $1, $2, now() + interval '1 day', 'test')`, id, hash[:])
}

func TestUpload(t *testing.T) {
	t.Parallel()
	b := setup(t)
	content := "\x89PNG\r\n\x1a\n" + strings.Repeat("\x00\xff--"+formBoundary+"\r\n", 1000) // a boundary that is none: its line begins with another byte
	sum := sha256.Sum256([]byte(content))
	parts := []string{"ttl", "1d", "owner_id", "00000000191", "file", content, "owner_name", "Ana Souza", "max_downloads", "3"}
	for shift := 0; shift < len(parts); shift += 2 { // in any order
		got := b.post(t, formBody(append(parts[shift:len(parts):len(parts)], parts[:shift]...)...))
		f := decode[file](t, got, 201)
		if f.Filename != "relatório.pdf" || f.Size != int64(len(content)) || *f.ContentType != "image/png" || *f.OwnerID != "00000000191" || *f.OwnerName != "Ana Souza" ||
			*f.MaxDownloads != 3 || f.Protected || *f.SHA256 != hex.EncodeToString(sum[:]) || f.Downloads != 0 || f.DeletedAt != nil {
			t.Errorf("made %s", got.body)
		}
		if life := f.ExpiresAt.Sub(f.CreatedAt); life != 24*time.Hour {
			t.Errorf("it lives for %s", life)
		}
		if at := got.header.Get("Location"); at != "/v1/files/"+f.ID {
			t.Errorf("Location %s", at)
		}
		if down := b.request(t, "GET", "/v1/files/"+f.ID+"/content", ""); down.status != 200 || string(down.body) != content {
			t.Errorf("download: %d, %d bytes", down.status, len(down.body))
		}
	}
	f := b.upload(t, "file", "")
	if f.Size != 0 || f.ExpiresAt.Sub(f.CreatedAt) != 7*24*time.Hour || f.OwnerID != nil {
		t.Errorf("the least that can be: %+v", f)
	}
	if down := b.request(t, "GET", "/v1/files/"+f.ID+"/content", ""); down.status != 200 || len(down.body) != 0 {
		t.Errorf("download of nothing: %d, %d bytes", down.status, len(down.body))
	}
	var paths []string
	rows, err := b.conn.Query(t.Context(), "SELECT path FROM fileshare_items")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var path string
		if err := rows.Scan(&path); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
		if _, err := os.Stat(path); err != nil || !strings.HasPrefix(path, b.root+"/") {
			t.Errorf("the legacy code cannot read it: %v", err)
		}
	}
	if all := b.request(t, "GET", "/v1/files", ""); bytes.Contains(all.body, []byte(b.root)) || len(paths) != 6 || len(decode[page[file]](t, all, 200).Items) != 6 {
		t.Errorf("list: %s", all.body)
	}
}

// TestUpload_Refuses sends forms that must not become a file. Nothing of them is left, and they are not quoted.
func TestUpload_Refuses(t *testing.T) {
	t.Parallel()
	b := setupFiles(t, func(cfg *portal.FilesConfig) {
		cfg.MaxSize = 100_000
		cfg.AllowedMIME = []string{"text/", "image/png"}
	})
	const marker = "52998224725"
	named := func(disposition, content string) string {
		return "--" + formBoundary + "\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n" + content + "\r\n--" + formBoundary + "--\r\n"
	}
	whole := formBody("file", "x")
	for _, test := range []struct {
		name, form string
		status     int
		detail     string
	}{
		{"empty", "", 400, "multipart"},
		{"no part", "--" + formBoundary + "--\r\n", 400, "file is required"},
		{"no file", formBody("ttl", "1d"), 400, "file is required"},
		{"file twice", formBody("file", "x", "file", "y"), 400, "file must be given once"},
		{"ttl twice", formBody("ttl", "1d", "file", "x", "ttl", "1d"), 400, "ttl must be given once"},
		{"unknown part", formBody("file", "x", "path", marker), 400, "path is not known"},
		{"unknown part before the file", formBody("path", marker, "file", "x"), 400, "path is not known"},
		{"a name that holds a value", formBody("file", "x", marker, ""), 400, "? is not known"},
		{"part without a name", named("x=y", "x"), 400, "no name"},
		{"other disposition", strings.Replace(whole, "form-data", "attachment", 1), 400, "no name"},
		{"ttl", formBody("file", "x", "ttl", marker), 400, "ttl must be"},
		{"empty ttl", formBody("file", "x", "ttl", ""), 400, "ttl must not be empty"},
		{"empty secret", formBody("file", "x", "secret", ""), 400, "secret must not be empty"},
		{"long secret", formBody("file", "x", "secret", strings.Repeat("x", 1001)), 400, "secret must not be longer"},
		{"huge secret", formBody("secret", strings.Repeat("x", 1<<20), "file", "x"), 400, "secret must not be longer"},
		{"NUL in secret", formBody("file", "x", "secret", "\x00"), 400, "secret must be UTF-8"},
		{"owner not UTF-8", formBody("file", "x", "owner_id", "\xff"), 400, "owner_id must be UTF-8"},
		{"max_downloads 0", formBody("file", "x", "max_downloads", "0"), 400, "max_downloads must be"},
		{"max_downloads negative", formBody("file", "x", "max_downloads", "-1"), 400, "max_downloads must be"},
		{"max_downloads large", formBody("file", "x", "max_downloads", "2147483648"), 400, "max_downloads must be"},
		{"max_downloads is text", formBody("file", "x", "max_downloads", "ten"), 400, "max_downloads must be"},
		{"no name of the file", named(`name="file"`, "x"), 400, "name"},
		{"empty name of the file", named(`name="file"; filename=""`, "x"), 400, "name"},
		{"NUL in the name", named("name=\"file\"; filename=\"a\x00b\"", "x"), 400, "whole"},
		{"name not UTF-8", named("name=\"file\"; filename=\"a\xffb\"", "x"), 400, "name"},
		{"long name", named(`name="file"; filename="`+strings.Repeat("x", 1000)+`"`, "x"), 400, "name"},
		{"too large", formBody("file", strings.Repeat("x", 100_001)), 413, "larger"},
		{"type", formBody("file", "%PDF-1.4 "+marker), 415, ""},
		{"type that is believed of nobody", strings.Replace(formBody("file", "%PDF-1.4"), "application/pdf", "text/plain", 1), 415, ""},
		{"cut off in the file", whole[:strings.Index(whole, "\r\nx")+3], 400, "broke off"},
		{"cut off before the last boundary", strings.TrimSuffix(whole, "--"+formBoundary+"--\r\n"), 400, "broke off"},
		{"cut off behind the file", strings.TrimSuffix(whole, "--\r\n"), 400, "whole"},
		{"other boundary", strings.ReplaceAll(whole, formBoundary, "other"), 400, "whole"},
		{"long header of a part", strings.Replace(whole, "Content-Type:", "X-Long: "+strings.Repeat("x", 64<<10)+"\r\nContent-Type:", 1), 400, "too long"},
		{"many headers of a part", strings.Replace(whole, "Content-Type:", strings.Repeat("X-More: x\r\n", 9_000)+"Content-Type:", 1), 400, "whole"},
		{"text before the first boundary that never ends", strings.Repeat("x", 1<<20), 400, "whole"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code := map[int]portal.Code{400: "invalid", 413: "too_large", 415: "unsupported"}[test.status]
			got := b.post(t, test.form)
			if p := wantProblem(t, got, test.status, code); !strings.Contains(p.Detail, test.detail) || bytes.Contains(got.body, []byte(marker)) {
				t.Errorf("detail %q, want %q", p.Detail, test.detail)
			}
		})
	}
	for _, contentType := range []string{"text/plain", "application/json", "multipart/form-data", "multipart/mixed; boundary=" + formBoundary} {
		wantProblem(t, b.request(t, "POST", "/v1/files", whole, "Content-Type", contentType), 415, "unsupported")
	}
	wantProblem(t, b.post(t, whole, "Content-Encoding", "gzip"), 415, "unsupported")
	b.wantNothing(t)
	if log := b.log.String(); strings.Contains(log, marker) || strings.Contains(log, `"level":"ERROR"`) {
		t.Errorf("the log: %s", log)
	}
	f := decode[file](t, b.post(t, formBody("file", strings.Repeat("x", 100_000))), 201) // as large as may be
	if f.Size != 100_000 || *f.ContentType != "text/plain; charset=utf-8" && *f.ContentType != "text/plain" {
		t.Errorf("made %+v", f)
	}
}

// wantNothing expects that there is no file: neither a row, nor an intent, nor a byte.
func (b *bundle) wantNothing(t testing.TB) {
	t.Helper()
	eventually(t, func() bool {
		var rows int
		if err := b.conn.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM fileshare_items) + (SELECT count(*) FROM service.file_uploads)").Scan(&rows); err != nil {
			t.Fatal(err)
		}
		return rows == 0 && len(b.stored(t)) == 0
	})
}

// stored are the files below the root, finished or not.
func (b *bundle) stored(t testing.TB) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(b.root, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && entry.Name() != blob.Marker {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func TestDownload(t *testing.T) {
	t.Parallel()
	b := setup(t)
	f := b.upload(t, "file", "0123456789")
	path := "/v1/files/" + f.ID + "/content"
	whole := b.request(t, "GET", path, "")
	tag := whole.header.Get("ETag")
	for name, want := range map[string]string{
		"Content-Disposition": `attachment; filename="relat_rio.pdf"; filename*=UTF-8''relat%C3%B3rio.pdf`, "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": "sandbox; default-src 'none'", "Cache-Control": "private, no-cache", "Accept-Ranges": "bytes", "Content-Length": "10",
		"Content-Type": "text/plain; charset=utf-8",
	} {
		if got := whole.header.Get(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if whole.status != 200 || string(whole.body) != "0123456789" || !strings.HasPrefix(tag, `"`) {
		t.Errorf("%d %q, ETag %s", whole.status, whole.body, tag)
	}
	counted := 1
	for _, test := range []struct {
		name, method string
		header       []string
		status       int
		body         string
		counts       bool
	}{
		{"again", "GET", nil, 200, "0123456789", true},
		{"HEAD", "HEAD", nil, 200, "", false},
		{"HEAD of a range", "HEAD", []string{"Range", "bytes=0-"}, 206, "", false},
		{"the caller has it", "GET", []string{"If-None-Match", tag}, 304, "", false},
		{"the caller has another one", "GET", []string{"If-None-Match", `"x"`}, 200, "0123456789", true},
		{"from the first byte on", "GET", []string{"Range", "bytes=0-3"}, 206, "0123", true},
		{"continued", "GET", []string{"Range", "bytes=4-"}, 206, "456789", false},
		{"the end", "GET", []string{"Range", "bytes=-2"}, 206, "89", false},
		{"the same still", "GET", []string{"Range", "bytes=4-", "If-Range", tag}, 206, "456789", false},
		{"another one by now", "GET", []string{"Range", "bytes=4-", "If-Range", `"x"`}, 200, "0123456789", true},
		{"behind the end", "GET", []string{"Range", "bytes=10-"}, 416, "", false},
		{"another unit", "GET", []string{"Range", "lines=1-2"}, 416, "", false},
		{"only if it is another", "GET", []string{"If-Match", `"x"`}, 412, "", false},
	} {
		got := b.request(t, test.method, path, "", test.header...)
		if got.status != test.status || test.status < 300 && string(got.body) != test.body {
			t.Errorf("%s: %d %q", test.name, got.status, got.body)
		}
		switch test.status {
		case 416:
			wantProblem(t, got, 416, portal.CodeInvalid)
			if got.header.Get("Content-Range") != "bytes */10" {
				t.Errorf("%s: Content-Range %q", test.name, got.header.Get("Content-Range"))
			}
		case 412:
			wantProblem(t, got, 412, portal.CodePreconditionFailed)
		}
		if test.status >= 400 && (got.header.Get("Content-Disposition") != "" || got.header.Get("ETag") != "" || got.header.Get("Accept-Ranges") != "") {
			t.Errorf("%s: a problem document is sent as a file: %v", test.name, got.header)
		}
		if test.counts {
			counted++
		}
		if n := b.downloads(t, f.ID); n != counted {
			t.Errorf("%s: %d downloads, want %d", test.name, n, counted)
		}
	}
	several := b.request(t, "GET", path, "", "Range", "bytes=1-2,5-6")
	if several.status != 206 || !bytes.Contains(several.body, []byte("\r\n\r\n12\r\n")) || !bytes.Contains(several.body, []byte("\r\n\r\n56\r\n")) || b.downloads(t, f.ID) != counted+1 {
		t.Errorf("several ranges: %d %q", several.status, several.body)
	}
}

// TestDownload_Limit has fifty clients at once download a file that may be downloaded ten times.
func TestDownload_Limit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.client.Transport.(*http.Transport).MaxConnsPerHost = 50
	f := b.upload(t, "file", "0123456789", "max_downloads", "10")
	var got, gone atomic.Int32
	var clients sync.WaitGroup
	for range 50 {
		clients.Go(func() {
			switch a := b.request(t, "GET", "/v1/files/"+f.ID+"/content", ""); a.status {
			case 200:
				if string(a.body) != "0123456789" {
					t.Errorf("got %q", a.body)
				}
				got.Add(1)
			case 410:
				gone.Add(1)
			default:
				t.Errorf("status %d: %s", a.status, a.body)
			}
		})
	}
	clients.Wait()
	if got.Load() != 10 || gone.Load() != 40 || b.downloads(t, f.ID) != 10 {
		t.Errorf("%d downloads, %d refused", got.Load(), gone.Load())
	}
	wantProblem(t, b.request(t, "GET", "/v1/files/"+f.ID+"/content", ""), 410, portal.CodeGone)
	// Who has begun may go on.
	if a := b.request(t, "GET", "/v1/files/"+f.ID+"/content", "", "Range", "bytes=5-"); a.status != 206 || string(a.body) != "56789" {
		t.Errorf("continued: %d %s", a.status, a.body)
	}
}

func TestDownload_Secret(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const secret = "correct horse ç"
	f := b.upload(t, "secret", secret, "file", "x")
	b.addFile(t, "legacy________", "x", "secret_hash", legacyHash(secret))
	for _, id := range []string{f.ID, "legacy________"} {
		path := "/v1/files/" + id + "/content"
		if got := decode[file](t, b.request(t, "GET", "/v1/files/"+id, ""), 200); !got.Protected {
			t.Errorf("%s is not protected", id)
		}
		wantProblem(t, b.request(t, "GET", path, ""), 403, portal.CodeForbidden)
		if got := b.request(t, "HEAD", path, "", "X-File-Secret", "x"); got.status != 403 {
			t.Errorf("HEAD with a wrong secret: %d", got.status)
		}
		if got := b.request(t, "GET", path, "", "X-File-Secret", secret); got.status != 200 || string(got.body) != "x" {
			t.Errorf("%s: %d %s", id, got.status, got.body)
		}
		if n := b.downloads(t, id); n != 1 {
			t.Errorf("%s: %d downloads", id, n)
		}
	}
	// Wrong ones from everywhere shut the file for a while, for the right one too.
	statuses := map[int]int{}
	for range 30 {
		got := b.request(t, "GET", "/v1/files/"+f.ID+"/content", "", "X-File-Secret", "wrong")
		statuses[got.status]++
		if got.status == 429 && got.header.Get("Retry-After") == "" {
			t.Error("429 without Retry-After")
		}
	}
	if statuses[403] < 10 || statuses[403] > 20 || statuses[429]+statuses[403] != 30 {
		t.Errorf("%v", statuses)
	}
	if log := b.log.String(); strings.Contains(log, secret) || strings.Contains(log, `"level":"ERROR"`) {
		t.Errorf("the log: %s", log)
	}
}

// TestDownload_Paths has rows whose path leads out of the root: nothing is sent of what lies there.
func TestDownload_Paths(t *testing.T) {
	t.Parallel()
	b := setup(t)
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("private"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(b.root, "link")); err != nil {
		t.Fatal(err)
	}
	for i, path := range []string{
		outside, b.root + "/../" + filepath.Base(filepath.Dir(outside)) + "/outside", b.root + "/link", "/etc/passwd", b.root, b.root + "/", "", "..", "file://" + outside,
		strings.TrimPrefix(outside, "/"), "s3://bucket/x",
	} {
		id := fmt.Sprintf("path%010d", i)
		b.addFile(t, id, "private")
		b.exec(t, "UPDATE fileshare_items SET path = $2 WHERE id = $1", id, path)
		if got := b.request(t, "GET", "/v1/files/"+id+"/content", ""); got.status < 400 || bytes.Contains(got.body, []byte("private")) || bytes.Contains(got.body, []byte("root:")) || bytes.Contains(got.body, []byte(b.root)) {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
		if n := b.downloads(t, id); n != 0 {
			t.Errorf("%s counts", path)
		}
	}
}

func TestFile_Delete(t *testing.T) {
	t.Parallel()
	b := setup(t)
	f := b.upload(t, "file", "x")
	if got := b.request(t, "DELETE", "/v1/files/"+f.ID, ""); got.status != 204 || len(got.body) != 0 {
		t.Errorf("%d %s", got.status, got.body)
	}
	wantProblem(t, b.request(t, "DELETE", "/v1/files/"+f.ID, ""), 410, portal.CodeGone)
	wantProblem(t, b.request(t, "GET", "/v1/files/"+f.ID+"/content", ""), 410, portal.CodeGone)
	wantProblem(t, b.request(t, "DELETE", "/v1/files/nowhere", ""), 404, portal.CodeNotFound)
	if got := decode[file](t, b.request(t, "GET", "/v1/files/"+f.ID, ""), 200); got.DeletedAt == nil {
		t.Error("it is not deleted")
	}
	b.addFile(t, "expired_______", "x", "downloads", 0)
	b.exec(t, "UPDATE fileshare_items SET created_at = now() - interval '2 days', expires_at = now() - interval '1 second' WHERE id = 'expired_______'")
	wantProblem(t, b.request(t, "GET", "/v1/files/expired_______/content", ""), 410, portal.CodeGone)
	for query, want := range map[string]int{"": 2, "?deleted=true": 1, "?deleted=false": 1, "?expired=true": 1, "?expired=false": 1, "?deleted=false&expired=false": 0, "?q=RELAT": 1, "?q=legado&deleted=true": 0, "?owner_id=x": 0} {
		if got := decode[page[file]](t, b.request(t, "GET", "/v1/files"+query, ""), 200); len(got.Items) != want {
			t.Errorf("%q: %d files, want %d", query, len(got.Items), want)
		}
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	f := b.upload(t, "file", "0123456789", "ttl", "1d", "owner_id", "00000000191")
	made := decode[link](t, b.request(t, "POST", "/v1/files/"+f.ID+"/links", `{"expires": "30d"}`), 201)
	if made.URL != "/s/"+made.Token || !made.ExpiresAt.Equal(f.ExpiresAt) {
		t.Errorf("made %+v of a file that expires at %s", made, f.ExpiresAt)
	}
	listed := b.request(t, "GET", "/v1/files/"+f.ID+"/links", "")
	if items := decode[page[link]](t, listed, 200).Items; len(items) != 1 || items[0].ID != made.ID || bytes.Contains(listed.body, []byte(made.Token)) {
		t.Errorf("list: %s", listed.body)
	}
	if got := b.request(t, "GET", made.URL, "", "Authorization", ""); got.status != 200 || string(got.body) != "0123456789" {
		t.Errorf("download: %d %s", got.status, got.body)
	}
	if got := b.request(t, "GET", made.URL, "", "Authorization", "", "Range", "bytes=5-"); got.status != 206 || string(got.body) != "56789" {
		t.Errorf("continued: %d %s", got.status, got.body)
	}
	if n := b.downloads(t, f.ID); n != 1 {
		t.Errorf("%d downloads", n)
	}
	if got := b.request(t, "DELETE", "/v1/files/"+f.ID+"/links/"+made.ID, ""); got.status != 204 {
		t.Errorf("revoke: %d %s", got.status, got.body)
	}
	wantProblem(t, b.request(t, "GET", made.URL, "", "Authorization", ""), 410, portal.CodeGone)
	wantProblem(t, b.request(t, "GET", "/s/"+strings.Repeat("A", 26), "", "Authorization", ""), 404, portal.CodeNotFound)
	wantProblem(t, b.request(t, "DELETE", "/v1/files/other/links/"+made.ID, ""), 404, portal.CodeNotFound)

	protected := b.upload(t, "file", "x", "secret", "s3cret", "owner_id", "00000000191")
	writer := "Bearer " + b.tokens[portal.RoleWriter]
	for body, status := range map[string]int{
		`{}`: 403, `{"secret": "wrong"}`: 403, `{"secret": "s3cret"}`: 201, `{"secret": "s3cret", "actor_cpf": "52998224725"}`: 403,
		`{"secret": "s3cret", "actor_cpf": "00000000191"}`: 201, `{"expires": "2d"}`: 400, `{"expires": 1}`: 400, `{"token": "x"}`: 400, `[]`: 400,
	} {
		if got := b.request(t, "POST", "/v1/files/"+protected.ID+"/links", body, "Authorization", writer); got.status != status {
			t.Errorf("%s: %d %s", body, got.status, got.body)
		}
	}
	byAdmin := decode[link](t, b.request(t, "POST", "/v1/files/"+protected.ID+"/links", `{}`), 201)
	if got := b.request(t, "GET", byAdmin.URL, "", "Authorization", ""); got.status != 200 || string(got.body) != "x" {
		t.Errorf("who has a link needs no secret: %d %s", got.status, got.body)
	}
	if log := b.log.String(); strings.Contains(log, made.Token) || strings.Contains(log, byAdmin.Token) {
		t.Error("a link's token is in the log")
	}
}

// TestShare follows links as a browser does, and as programs do.
func TestShare(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	f := b.upload(t, "file", "0123456789", "max_downloads", "2")
	made := decode[link](t, b.request(t, "POST", "/v1/files/"+f.ID+"/links", `{}`), 201)
	b.addFile(t, "legacy________", "legacy")
	b.addFile(t, "protected_____", "protected", "secret_hash", legacyHash("s3cret"))
	protected := "/s/" + legacyLink("protected_____", time.Now().Add(time.Hour))
	wantPage := func(got answer, status int, texts ...string) {
		t.Helper()
		if got.status != status || got.header.Get("Content-Type") != "text/html; charset=utf-8" || got.header.Get("Cache-Control") != "no-store" ||
			!strings.HasPrefix(got.header.Get("Content-Security-Policy"), "default-src 'none'") || got.header.Get("Content-Disposition") != "" {
			t.Errorf("%d %v: %s", got.status, got.header, got.body)
		}
		for _, text := range texts {
			if !strings.Contains(string(got.body), text) {
				t.Errorf("no %q in %s", text, got.body)
			}
		}
	}
	open := func(path string, header ...string) answer {
		t.Helper()
		return b.request(t, "GET", path, "", append([]string{"Authorization", ""}, header...)...)
	}
	wantPage(open(made.URL, "Accept", browser), 200, "relatório.pdf", "10 bytes", "?download=1")
	wantPage(open(made.URL+"?fbclid=x", "Accept", browser), 200, "relatório.pdf")
	if n := b.downloads(t, f.ID); n != 0 {
		t.Errorf("looking at the page counts as %d downloads", n)
	}
	for _, header := range [][]string{nil, {"Accept", "*/*"}, {"Accept", "text/html;q=0"}} {
		if got := open("/s/"+legacyLink("legacy________", time.Now().Add(time.Hour)), header...); got.status != 200 || string(got.body) != "legacy" {
			t.Errorf("%v: %d %s", header, got.status, got.body)
		}
	}
	for range 2 {
		if got := open(made.URL+"?download=1", "Accept", browser); got.status != 200 || string(got.body) != "0123456789" || !strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment") {
			t.Errorf("download: %d %s", got.status, got.body)
		}
	}
	wantPage(open(made.URL+"?download=1", "Accept", browser), 410, "Limite de downloads atingido")
	wantPage(open(made.URL, "Accept", browser), 410, "Limite de downloads atingido")

	wantPage(open(protected, "Accept", browser), 200, "Arquivo protegido por senha", `<form method="post">`)
	post := func(path, secret string, header ...string) answer {
		t.Helper()
		return b.request(t, "POST", path, "secret="+secret, append([]string{"Authorization", "", "Accept", browser, "Content-Type", "application/x-www-form-urlencoded"}, header...)...)
	}
	wantPage(post(protected, "wrong"), 403, "Senha incorreta")
	if got := post(protected, "s3cret"); got.status != 200 || string(got.body) != "protected" || !strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("with the secret: %d %s", got.status, got.body)
	}
	if got := open(protected, "X-File-Secret", "s3cret"); got.status != 200 || string(got.body) != "protected" {
		t.Errorf("with the secret, as a program: %d %s", got.status, got.body)
	}
	wantProblem(t, open(protected), 403, portal.CodeForbidden)
	wantPage(post(protected, strings.Repeat("x", 100_000)), 400, "Informe a senha")
	for range 25 {
		post(protected, "wrong")
	}
	wantPage(post(protected, "wrong"), 429, "Muitas tentativas")

	wantPage(open("/s/nowhere", "Accept", browser), 404, "Link não encontrado")
	wantPage(open("/s/"+legacyLink("legacy________", time.Now().Add(-time.Hour)), "Accept", browser), 410, "Link expirado")
	forged := legacyLink("legacy________", time.Now().Add(time.Hour))
	wantPage(open("/s/"+forged[:len(forged)-1]+"x", "Accept", browser), 404, "Link não encontrado")
	other := b.upload(t, "file", "x")
	revoked := decode[link](t, b.request(t, "POST", "/v1/files/"+other.ID+"/links", `{}`), 201)
	b.request(t, "DELETE", "/v1/files/"+other.ID+"/links/"+revoked.ID, "")
	wantPage(open(revoked.URL, "Accept", browser), 410, "Link cancelado")
	deleted := decode[link](t, b.request(t, "POST", "/v1/files/"+other.ID+"/links", `{}`), 201)
	b.request(t, "DELETE", "/v1/files/"+other.ID, "")
	wantPage(open(deleted.URL, "Accept", browser), 410, "Arquivo apagado")
	b.exec(t, "ALTER TABLE service.file_links RENAME TO elsewhere")
	wantPage(open(deleted.URL, "Accept", browser), 500, "Não foi possível")
	wantProblem(t, open(deleted.URL), 500, portal.CodeInternal)
}

// begin sends the headers of an upload and a part of its body.
func (b *bundle) begin(t testing.TB, length int, part string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(b.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "POST /v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: %s; boundary=%s\r\nX-Request-Id: upload\r\nContent-Length: %d\r\n\r\n%s",
		b.tokens[portal.RoleWriter], formType, formBoundary, length, part)
	return conn
}

// TestUpload_Clients has clients that are slow, that stop, that hang up and that send too much: a slow one has its file, of
// the others nothing is left.
func TestUpload_Clients(t *testing.T) {
	t.Parallel()
	form := formBody("ttl", "1d", "file", strings.Repeat("0123456789abcdef", 1<<16))
	short := func(cfg *httpapi.Config) { cfg.RequestTimeout, cfg.FileStall = 300*time.Millisecond, time.Second }
	hasBytes := func(b *bundle) func() bool { return func() bool { return len(b.stored(t)) > 0 } }

	t.Run("slow", func(t *testing.T) {
		t.Parallel()
		b := setup(t, short)
		server := httptest.NewUnstartedServer(b.api)
		server.Config.ReadTimeout, server.Config.WriteTimeout = 300*time.Millisecond, 300*time.Millisecond
		server.Start()
		t.Cleanup(server.Close)
		b.url = server.URL
		conn := b.begin(t, len(form), "")
		for rest := form; rest != ""; time.Sleep(100 * time.Millisecond) {
			n := min(len(rest), len(form)/20)
			if _, err := io.WriteString(conn, rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		f := decode[file](t, readAnswer(t, conn), 201)
		if f.Size != 1<<20 {
			t.Errorf("made %+v", f)
		}
	})
	t.Run("stops", func(t *testing.T) {
		t.Parallel()
		b := setup(t, short)
		conn := b.begin(t, len(form), form[:len(form)/2])
		eventually(t, hasBytes(b))
		if p := wantProblem(t, readAnswer(t, conn), 400, portal.CodeInvalid); !strings.Contains(p.Detail, "in time") {
			t.Errorf("detail %q", p.Detail)
		}
		b.wantNothing(t)
	})
	t.Run("hangs up", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		conn := b.begin(t, len(form), form[:len(form)/2])
		eventually(t, hasBytes(b))
		conn.Close()
		b.wantNothing(t)
		eventually(t, func() bool { return strings.Contains(b.log.String(), `"request_id":"upload"`) })
		if log := b.log.String(); strings.Contains(log, "panic") || strings.Contains(log, `"level":"ERROR"`) {
			t.Errorf("the log: %s", log)
		}
	})
	t.Run("sends too much", func(t *testing.T) {
		t.Parallel()
		b := setupFiles(t, func(cfg *portal.FilesConfig) { cfg.MaxSize = 1000 })
		conn := b.begin(t, len(form), form[:len(form)/2]) // the rest never comes
		wantProblem(t, readAnswer(t, conn), 413, portal.CodeTooLarge)
		b.wantNothing(t)
	})
}

// TestUpload_Many uploads many files at once: each is the one that was sent.
func TestUpload_Many(t *testing.T) {
	t.Parallel()
	many := 200
	if testing.Short() {
		many = 40
	}
	b := setup(t)
	var clients sync.WaitGroup
	for i := range many {
		clients.Go(func() {
			content := strings.Repeat(strconv.Itoa(i)+" ", 50_000)
			got := b.post(t, formBody("file", content, "owner_id", strconv.Itoa(i)))
			var f file
			if err := json.Unmarshal(got.body, &f); got.status != 201 || err != nil {
				t.Errorf("%d: %d %s", i, got.status, got.body)
				return
			}
			if down := b.request(t, "GET", "/v1/files/"+f.ID+"/content", ""); down.status != 200 || string(down.body) != content {
				t.Errorf("%d: %d, %d bytes", i, down.status, len(down.body))
			}
		})
	}
	clients.Wait()
	report, err := b.files.Fsck(t.Context(), false, nil)
	if err != nil || report.Files != int64(many) || report.Entries != int64(many) || len(report.Missing)+len(report.Orphaned)+len(report.Damaged) > 0 {
		t.Errorf("%+v, %v", report, err)
	}
	var open int
	if err := b.conn.QueryRow(t.Context(), "SELECT count(*) FROM service.file_uploads").Scan(&open); err != nil || open != 0 {
		t.Errorf("%d uploads are left, %v", open, err)
	}
	t.Logf("%d uploads at once", many)
}
