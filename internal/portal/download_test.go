package portal_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"portaldb/internal/portal"
)

func (b *filesBundle) open(t testing.TB, id string, a portal.Access) *portal.Download {
	t.Helper()
	d, err := b.files.Open(t.Context(), id, a)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestFiles_Open(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	file := b.upload(t, "texto", portal.NewFile{OwnerID: ptr("00000000001")})
	b.legacy(t, "legacy-AAAAAAA", "antigo")
	for id, want := range map[string]string{file.ID: "texto", "legacy-AAAAAAA": "antigo"} {
		d := b.open(t, id, portal.Access{Token: "bff", Address: "192.0.2.1"})
		if _, ok := d.Content.(*os.File); !ok {
			t.Errorf("content is a %T, which sendfile does not take", d.Content)
		}
		if d.ETag == "" || d.ModTime.IsZero() || !d.Until.Equal(d.File.ExpiresAt) {
			t.Errorf("%+v", d)
		}
		if err := d.Start(t.Context(), 0); err != nil || d.File.Downloads != 1 {
			t.Errorf("%d downloads, %v", d.File.Downloads, err)
		}
		if err := d.Start(t.Context(), 1); err != nil {
			t.Error(err)
		}
		if got := b.download(t, d); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if got, err := b.files.Get(t.Context(), id); err != nil || got.Downloads != 1 {
			t.Errorf("%d downloads, want 1, %v", got.Downloads, err)
		}
	}
	if got := b.events(t, file.ID)[1]; got != `fileshare downloaded {"size": 5, "owner": "00000000001", "token": "bff", "address": "192.0.2.1", "filename": "relatório.txt"}` {
		t.Error(got)
	}
	if a, b := b.open(t, file.ID, portal.Access{}).ETag, b.open(t, "legacy-AAAAAAA", portal.Access{}).ETag; a == b || !strings.HasPrefix(a, `"`) || !strings.HasSuffix(b, `"`) {
		t.Errorf("%s, %s", a, b)
	}

	// Expiry holds at once, sweeper or not, and for a download that is open already.
	d := b.open(t, file.ID, portal.Access{})
	b.exec(t, "UPDATE fileshare_items SET expires_at = now() WHERE id = $1", file.ID)
	if err := d.Start(t.Context(), 0); !errors.Is(err, portal.ErrFileExpired) {
		t.Errorf("start after its time: %v", err)
	}
	if _, err := b.files.Open(t.Context(), file.ID, portal.Access{}); !errors.Is(err, portal.ErrFileExpired) {
		t.Errorf("open after its time: %v", err)
	}
	b.sweep(t)
	if _, err := b.files.Open(t.Context(), file.ID, portal.Access{}); !errors.Is(err, portal.ErrFileExpired) {
		t.Errorf("open after the sweeper: %v", err)
	}
	if got := b.download(t, d); got != "texto" {
		t.Errorf("the sweeper broke an open download: %q", got)
	}
}

// TestFiles_Open_Paths: whatever path a row has, nothing but files of the store are served.
func TestFiles_Open_Paths(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(b.root, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Dir(outside), filepath.Join(b.root, "folder")); err != nil {
		t.Fatal(err)
	}
	up, _ := filepath.Rel(b.root, outside)
	paths := []string{outside, b.root + "/link", b.root + "/folder/secret", b.root + "/" + up, up, "", "/", b.root, "secret", b.root + "/2026/../link", "file://" + outside, "s3://x/secret"}
	must(t, b.files.Attach(t.Context()))
	for i, path := range paths {
		id := fmt.Sprint(i)
		if path == b.root+"/link" {
			id = "link"
		}
		b.exec(t, `INSERT INTO fileshare_items (id, filename, size, path, expires_at) VALUES ($1, 'x', 6, $2, now() + interval '1 day')`, id, path)
		_, err := b.files.Open(t.Context(), id, portal.Access{})
		wantCode(t, err, portal.CodeNotFound)
		if strings.Contains(portal.ErrorMessage(err), "secret") {
			t.Errorf("the message tells the path: %v", err)
		}
	}
	// Nor does the sweeper remove them, or what is another file's; of a link in the store it removes the link.
	b.exec(t, "UPDATE fileshare_items SET expires_at = now()")
	used := b.upload(t, "em uso", portal.NewFile{})
	b.exec(t, `INSERT INTO fileshare_items (id, filename, size, path, expires_at) VALUES ('thief', 'x', 6, $1, now())`, b.path(t, used.ID))
	for _, want := range []portal.SweepReport{{Expired: len(paths) + 1, Removed: 1, Outside: len(paths)}, {}} {
		if report := b.sweep(t); report != want {
			t.Errorf("%+v, want %+v", report, want)
		}
	}
	if _, err := os.Stat(outside); err != nil {
		t.Error(err)
	}
	if got := b.download(t, b.open(t, used.ID, portal.Access{})); got != "em uso" {
		t.Errorf("the file that is in use has %q", got)
	}
}

func TestFiles_Open_Broken(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	missing, damaged := b.upload(t, "texto", portal.NewFile{}), b.upload(t, "texto", portal.NewFile{})
	if err := errors.Join(os.Remove(b.path(t, missing.ID)), os.Truncate(b.path(t, damaged.ID), 3)); err != nil {
		t.Fatal(err)
	}
	for _, file := range []portal.File{missing, damaged} {
		_, err := b.files.Open(t.Context(), file.ID, portal.Access{})
		wantCode(t, err, portal.CodeInternal)
	}
}

// TestFiles_Downloads_Race has fifty ask for a file that ten may have.
func TestFiles_Downloads_Race(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	file := b.upload(t, "texto", portal.NewFile{MaxDownloads: ptr(int32(10))})
	replicas := []*portal.Files{b.files, b.replica(), b.replica()}
	var got atomic.Int32
	var group errgroup.Group
	for i := range 50 {
		group.Go(func() error {
			d, err := replicas[i%3].Open(t.Context(), file.ID, portal.Access{Address: fmt.Sprintf("192.0.2.%d", i)})
			if err != nil {
				return err
			}
			defer d.Close()
			if err = d.Start(t.Context(), 0); err == nil {
				got.Add(1)
			} else if !errors.Is(err, portal.ErrFileUsedUp) {
				return err
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	after, err := b.files.Get(t.Context(), file.ID)
	if events := len(b.events(t, file.ID)) - 1; err != nil || got.Load() != 10 || after.Downloads != 10 || events != 10 {
		t.Errorf("%d got it, %d counted, %d events, want 10 each; %v", got.Load(), after.Downloads, events, err)
	}
}

func TestDownload_Start_Continued(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	file := b.upload(t, "texto", portal.NewFile{MaxDownloads: ptr(int32(2))})
	start := func(address string, continued int64) error {
		return b.open(t, file.ID, portal.Access{Address: address}).Start(t.Context(), continued)
	}
	for _, step := range []struct {
		address   string
		continued int64
		want      error
		counted   int32
	}{
		{"192.0.2.1", 0, nil, 1},
		{"192.0.2.1", 4, nil, 1},
		{"192.0.2.2", 4, nil, 2}, // which it had not begun
		{"192.0.2.2", 4, nil, 2},
		{"192.0.2.1", 0, portal.ErrFileUsedUp, 2},
		{"192.0.2.3", 4, portal.ErrFileUsedUp, 2},
		{"192.0.2.1", 46, nil, 2},
		{"192.0.2.1", 10, portal.ErrFileUsedUp, 2}, // ten times the file is enough
		{"192.0.2.2", 4, nil, 2},
	} {
		err := start(step.address, step.continued)
		got, _ := b.files.Get(t.Context(), file.ID)
		if !errors.Is(err, step.want) || got.Downloads != step.counted {
			t.Errorf("%+v: %v, %d counted", step, err, got.Downloads)
		}
	}
	b.exec(t, "UPDATE service.file_downloads SET started_at = now() - interval '25 hours' WHERE address = '192.0.2.1'")
	if err := start("192.0.2.1", 1); !errors.Is(err, portal.ErrFileUsedUp) {
		t.Errorf("continued a day later: %v", err)
	}
	b.sweep(t)
	if n := value[int](t, b.bundle, "SELECT count(*) FROM service.file_downloads"); n != 1 {
		t.Errorf("%d rows of downloads, want the one of late", n)
	}
	d := b.open(t, file.ID, portal.Access{Address: "192.0.2.2"})
	if err := b.files.Delete(t.Context(), "bff", file.ID); err != nil {
		t.Fatal(err)
	}
	if err := d.Start(t.Context(), 1); !errors.Is(err, portal.ErrFileDeleted) {
		t.Errorf("continued when it is deleted: %v", err)
	}
}

func TestFiles_Secret(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	file := b.upload(t, "texto", portal.NewFile{Secret: "s3nha ção"})
	hash := value[string](t, b.bundle, "SELECT secret_hash FROM fileshare_items")
	if !file.Protected || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("%+v, %s", file, hash)
	}
	for _, test := range []struct {
		secret *string
		want   error
	}{{nil, portal.ErrSecretRequired}, {ptr(""), portal.ErrSecretRequired}, {ptr("s3nha"), portal.ErrSecretWrong}, {ptr("a\x00\xff"), portal.ErrSecretWrong},
		{ptr(strings.Repeat("x", 1<<20)), portal.ErrSecretWrong}, {ptr("s3nha ção"), nil}, {ptr("s3nha ção "), portal.ErrSecretWrong}} {
		d, err := b.files.Open(t.Context(), file.ID, portal.Access{Secret: test.secret, Address: "192.0.2.1"})
		if !errors.Is(err, test.want) {
			t.Errorf("%.20q: %v, want %v", show(test.secret), err, test.want)
		}
		if err == nil {
			d.Close()
		}
	}
	if n := value[string](t, b.bundle, "SELECT string_agg(concat_ws(' ', scope, failures), ', ' ORDER BY scope) FROM service.file_attempts"); n != "address 3, item 3" {
		t.Errorf("wrong secrets counted: %s", n)
	}
}

// TestDownload_Start_Unlimited: also where any number of downloads may be had, each leaves its trace.
func TestDownload_Start_Unlimited(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	file := b.upload(t, "texto", portal.NewFile{})
	for i, continued := range []int64{4, 4, 40, 12, 4, 0} { // the first was never begun, and the last but one has had ten times the file
		if err := b.open(t, file.ID, portal.Access{Address: "192.0.2.1"}).Start(t.Context(), continued); err != nil {
			t.Fatal(err)
		}
		got, err := b.files.Get(t.Context(), file.ID)
		if want := []int32{1, 1, 1, 1, 2, 3}[i]; err != nil || got.Downloads != want || len(b.events(t, file.ID)) != int(want)+1 {
			t.Errorf("step %d: %d counted, %d events, want %d: %v", i, got.Downloads, len(b.events(t, file.ID))-1, want, err)
		}
	}
}

// TestFiles_Secret_Legacy: a secret of the legacy code opens, and is hashed anew only where that code reads it no more.
func TestFiles_Secret_Legacy(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	b.legacy(t, "legacy-AAAAAAA", "antigo")
	b.exec(t, `UPDATE fileshare_items SET secret_hash = 'sha256:0123456789abcdef:' || encode(sha256(convert_to('0123456789abcdef' || 'antigo', 'UTF8')), 'hex')`)
	before := value[string](t, b.bundle, "SELECT secret_hash FROM fileshare_items")
	rehashing := b.replica(func(cfg *portal.FilesConfig) { cfg.RehashSecrets = true })
	open := func(files *portal.Files, secret string, want error) {
		t.Helper()
		d, err := files.Open(t.Context(), "legacy-AAAAAAA", portal.Access{Secret: &secret})
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", secret, err, want)
		}
		if err == nil {
			d.Close()
		}
	}
	open(b.files, "antigo", nil)
	open(rehashing, "errado", portal.ErrSecretWrong)
	if now := value[string](t, b.bundle, "SELECT secret_hash FROM fileshare_items"); now != before {
		t.Errorf("hashed anew: %s", now)
	}
	open(rehashing, "antigo", nil)
	if now := value[string](t, b.bundle, "SELECT secret_hash FROM fileshare_items"); !strings.HasPrefix(now, "$argon2id$") {
		t.Errorf("not hashed anew: %s", now)
	}
	open(b.files, "antigo", nil)
	open(b.files, "errado", portal.ErrSecretWrong)
	if diff := cmp.Diff([]string{"fileshare secret_rehashed {}"}, b.events(t, "legacy-AAAAAAA")); diff != "" {
		t.Error(diff)
	}
}

// TestFiles_Secret_Limits guesses at once, on several replicas.
func TestFiles_Secret_Limits(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	b.legacy(t, "a", "texto") // whose secrets cost nothing to check
	b.legacy(t, "b", "texto")
	b.exec(t, `UPDATE fileshare_items SET secret_hash = 'sha256:00:' || encode(sha256('00right'), 'hex')`)
	replicas := []*portal.Files{b.files, b.replica(), b.replica()}
	guess := func(n int, id, secret string, address func(int) string) (opened, wrong, refused int) {
		t.Helper()
		results := make([]error, n)
		var group errgroup.Group
		for i := range n {
			group.Go(func() error {
				d, err := replicas[i%3].Open(t.Context(), id, portal.Access{Secret: &secret, Address: address(i)})
				if results[i] = err; err == nil {
					d.Close()
				}
				return nil
			})
		}
		_ = group.Wait()
		for _, err := range results {
			switch {
			case err == nil:
				opened++
			case errors.Is(err, portal.ErrSecretWrong):
				wrong++
			case portal.ErrorCode(err) == portal.CodeTooMany:
				refused++
			default:
				t.Error(err)
			}
		}
		return opened, wrong, refused
	}
	check := func(what string, opened, wrong, refused, wantOpened, wantWrong, wantRefused int) {
		t.Helper()
		if opened != wantOpened || wrong != wantWrong || refused != wantRefused {
			t.Errorf("%s: %d opened, %d wrong, %d refused, want %d, %d, %d", what, opened, wrong, refused, wantOpened, wantWrong, wantRefused)
		}
	}
	one := func(int) string { return "2001:db8::1" }
	neighbour := func(i int) string { return fmt.Sprintf("2001:db8::%x", i+2) }
	others := func(i int) string { return fmt.Sprintf("192.0.2.%d", i) }

	o, w, r := guess(60, "a", "right", one)
	check("the right one uses nothing up", o, w, r, 60, 0, 0)
	o, w, r = guess(60, "a", "wrong", one)
	check("one address", o, w, r, 0, 20, 40)
	o, w, r = guess(5, "b", "wrong", neighbour)
	check("the same network at another file", o, w, r, 0, 0, 5)
	o, w, r = guess(60, "a", "wrong", others)
	check("many addresses at one file", o, w, r, 0, 30, 30)
	o, w, r = guess(5, "b", "wrong", others)
	check("they at another file", o, w, r, 0, 5, 0)
	replicas = []*portal.Files{b.replica(), b.replica(), b.replica()} // which do not know the right one
	o, w, r = guess(3, "a", "right", func(int) string { return "198.51.100.1" })
	check("the right one when the file is shut", o, w, r, 0, 0, 3)
	b.exec(t, "UPDATE service.file_attempts SET window_started_at = now() - interval '15 minutes'")
	o, w, r = guess(60, "a", "wrong", one)
	check("15 minutes later", o, w, r, 0, 20, 40)
	b.exec(t, "UPDATE service.file_attempts SET window_started_at = now() - interval '2 hours' WHERE scope = 'address'")
	b.sweep(t)
	if n := value[int](t, b.bundle, "SELECT count(*) FROM service.file_attempts WHERE scope = 'address'"); n != 0 {
		t.Errorf("%d old attempts kept", n)
	}
}

// TestVerifySecret: no hash, however odd, makes it panic, takes much memory or opens what it should not.
func TestVerifySecret(t *testing.T) {
	t.Parallel()
	for _, hash := range []string{
		"", "sha256:", "sha256::", "sha256:00:", "sha256:00:zz", "sha256:00:00:00", "$argon2id$v=19$m=19456,t=2,p=1$$", "plain", "$argon2i$v=19$m=8,t=1,p=1$AAAA$AAAA",
		"$argon2id$v=19$m=4294967295,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=8,t=0,p=0$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=16$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	} {
		for _, secret := range []string{"", "x", hash} {
			if portal.VerifySecret(hash, secret) {
				t.Errorf("%q opens %q", secret, hash)
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		hash := rapid.OneOf(rapid.String(), rapid.StringMatching(`sha256:[0-9a-f]{0,20}:[0-9a-f]{0,70}`),
			rapid.StringMatching(`\$argon2id\$v=19\$m=[0-9]{1,3},t=[0-3],p=[0-5]\$[A-Za-z]{0,24}\$[A-Za-z]{0,46}`)).Draw(t, "hash")
		if secret := rapid.String().Draw(t, "secret"); portal.VerifySecret(hash, secret) {
			t.Fatalf("%q opens %q", secret, hash)
		}
	})
}

// TestNetwork: what one caller can have many of counts once, whatever is written.
func TestNetwork(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8::1": "2001:db8::/64", "2001:0db8:0:0:ffff::1": "2001:db8::/64",
		"fe80::1%eth0": "fe80::/64", "": "", "not an address": "not an address",
	} {
		if got := portal.Network(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a := netip.AddrFrom16([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "address")))
		if a.Is4In6() {
			return
		}
		raw := a.As16()
		copy(raw[8:], rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "host"))
		if b := netip.AddrFrom16(raw); !b.Is4In6() && portal.Network(a.String()) != portal.Network(b.String()) {
			t.Fatalf("%s and %s count apart", a, b)
		}
	})
}

// TestFiles_Secret_Turns: who waits for a turn to have a secret checked gives up with the request.
func TestFiles_Secret_Turns(t *testing.T) {
	t.Parallel()
	b := setupFiles(t)
	file := b.upload(t, "texto", portal.NewFile{Secret: "s"})
	entered, leave := make(chan struct{}, 2), make(chan struct{})
	b.database.before = func(name string) error {
		if name == "CountAttempt" {
			entered <- struct{}{}
		}
		return nil
	}
	b.database.block = func(name string) {
		if name == "CountAttempt" {
			<-leave
		}
	}
	var group errgroup.Group
	for range 2 {
		group.Go(func() error {
			d, err := b.files.Open(t.Context(), file.ID, portal.Access{Secret: ptr("s")})
			if err == nil {
				d.Close()
			}
			return err
		})
	}
	<-entered
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := b.files.Open(ctx, file.ID, portal.Access{Secret: ptr("s")})
	wantCode(t, err, portal.CodeUnavailable)
	close(leave)
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}
