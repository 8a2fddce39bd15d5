package main_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"portaldb/internal/blob"
	"portaldb/internal/blob/s3test"
	"portaldb/internal/devpg"
	"portaldb/internal/pgtest"
)

// served is a running `portaldb serve`.
type served struct {
	*exec.Cmd
	url string
}

// serveBinary starts the program as it is shipped, on a database that is up to date.
func serveBinary(t *testing.T, env []string) served {
	t.Helper()
	s := served{Cmd: exec.CommandContext(t.Context(), binary, "serve", "--addr", "127.0.0.1:0", "--no-migrate")}
	s.Env = env
	stderr, err := s.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	log := bufio.NewScanner(stderr)
	for s.url == "" && log.Scan() {
		var entry struct{ Addr string }
		if json.Unmarshal(log.Bytes(), &entry) == nil && entry.Addr != "" {
			s.url = "http://" + entry.Addr
		}
	}
	if s.url == "" {
		t.Fatal("serve did not start")
	}
	go func() { _, _ = io.Copy(io.Discard, stderr) }()
	return s
}

// kill ends it at once, as kill -9 does.
func (s served) kill() {
	_ = s.Process.Kill()
	_ = s.Wait()
}

// binaryToken makes a token by the program.
func binaryToken(t *testing.T, env []string, role string) string {
	t.Helper()
	create := exec.CommandContext(t.Context(), binary, "token", "create", "test", "--role", role, "--json")
	create.Env = env
	out, err := create.Output()
	if err != nil {
		t.Fatalf("token create: %v\n%s", err, out)
	}
	var created struct{ Token string }
	if err := json.Unmarshal(out, &created); err != nil {
		t.Fatal(err)
	}
	return created.Token
}

// sendFile uploads size bytes that nobody can compress, and returns the file's id and the SHA-256 of what was sent.
func sendFile(ctx context.Context, url, token string, size int64) (id, sum string, err error) {
	return sendContent(ctx, url, token, noise(), size)
}

// noise is a reader without end of bytes that nobody can compress.
func noise() io.Reader {
	var seed [32]byte
	rand.Read(seed[:])
	return mathrand.NewChaCha8(seed)
}

// sendContent uploads the first size bytes of content.
func sendContent(ctx context.Context, url, token string, content io.Reader, size int64) (id, sum string, err error) {
	hash := sha256.New()
	const head = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\n"
	const tail = "\r\n--b--\r\n"
	body := io.MultiReader(bytes.NewReader([]byte(head)), io.TeeReader(io.LimitReader(content, size), hash), bytes.NewReader([]byte(tail)))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/files", body)
	if err != nil {
		return "", "", err
	}
	req.ContentLength = int64(len(head)) + size + int64(len(tail))
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", "", err
	}
	var made struct{ ID string }
	if err := json.Unmarshal(answer, &made); resp.StatusCode != http.StatusCreated || err != nil {
		return "", "", fmt.Errorf("status %d: %s", resp.StatusCode, answer)
	}
	return made.ID, hex.EncodeToString(hash.Sum(nil)), nil
}

// fetchFile downloads a file and returns its size and SHA-256.
func fetchFile(ctx context.Context, url, token, id string) (size int64, sum string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/v1/files/"+id+"/content", nil)
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	hash := sha256.New()
	size, err = io.Copy(hash, resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", resp.StatusCode)
	}
	return size, hex.EncodeToString(hash.Sum(nil)), err
}

// TestServe_files uploads and downloads a file that is much larger than the memory that the program may use, into a folder and
// into a store that speaks S3: 2 GiB, or 64 MiB in the short size. Deleted, swept and checked, it leaves nothing.
func TestServe_files(t *testing.T) {
	t.Parallel()
	const most = 64 << 20
	size := int64(2 << 30)
	if testing.Short() {
		size = 64 << 20
	}
	for what, root := range map[string]string{"folder": t.TempDir(), "S3": s3test.Root(s3test.Bucket(t), "")} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			env := append(os.Environ(), "DATABASE_URL="+pgtest.New(t), "UPLOAD_ROOT="+root)
			for name, value := range s3test.Env {
				env = append(env, name+"="+value)
			}
			token := binaryToken(t, env, "writer")
			serve := serveBinary(t, env)
			begin := time.Now()
			id, sent, err := sendFile(t.Context(), serve.url, token, size)
			if err != nil {
				t.Fatal(err)
			}
			uploaded := time.Since(begin)
			begin = time.Now()
			got, sum, err := fetchFile(t.Context(), serve.url, token, id)
			if err != nil || got != size || sum != sent {
				t.Errorf("%d bytes of %d, the same: %v, %v", got, size, sum == sent, err)
			}
			peak := peakMemory(t, serve.Process.Pid)
			t.Logf("%d MiB uploaded in %s, downloaded in %s, peak memory %d MiB", size>>20, uploaded.Round(time.Millisecond), time.Since(begin).Round(time.Millisecond), peak>>20)
			if peak > most {
				t.Errorf("the program has used %d bytes, may use %d", peak, most)
			}

			files := func(args ...string) string {
				t.Helper()
				cmd := exec.CommandContext(t.Context(), binary, append([]string{"files"}, args...)...)
				cmd.Env = env
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Errorf("files %v: %v\n%s", args, err, out)
				}
				return string(out)
			}
			files("fsck")
			req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, serve.url+"/v1/files/"+id, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+token)
			resp, err := http.DefaultClient.Do(req)
			if err != nil || resp.StatusCode != http.StatusNoContent {
				t.Fatalf("delete: %v, %v", resp, err)
			}
			resp.Body.Close()
			if out := files("sweep", "--json"); !strings.Contains(out, `"removed": 1`) && !strings.Contains(out, `"removed":1`) {
				t.Errorf("sweep: %s", out)
			}
			files("fsck")
		})
	}
}

// TestServe_files_killed kills the program at random moments of many uploads. No file that a client was told of is lost, and
// once swept nothing is left of the others.
func TestServe_files_killed(t *testing.T) {
	t.Parallel()
	kills := 200
	if testing.Short() {
		kills = 10
	}
	root, database := t.TempDir(), pgtest.New(t)
	env := append(os.Environ(), "DATABASE_URL="+database, "UPLOAD_ROOT="+root)
	token := binaryToken(t, env, "writer")
	var mu sync.Mutex
	files := map[string]string{} // the SHA-256 of each that a client was told of
	tried := 0
	for range kills {
		serve := serveBinary(t, env)
		ctx, stop := context.WithCancel(t.Context())
		var clients sync.WaitGroup
		for range 3 {
			clients.Go(func() {
				for ctx.Err() == nil {
					id, sum, err := sendFile(ctx, serve.url, token, mathrand.Int64N(1<<20))
					mu.Lock()
					tried++
					if err == nil {
						files[id] = sum
					}
					mu.Unlock()
					if err != nil {
						return // it is dead
					}
				}
			})
		}
		time.Sleep(mathrand.N(1500 * time.Millisecond)) // the moment
		serve.kill()
		stop()
		clients.Wait()
	}

	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var broken int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM service.file_uploads").Scan(&broken); err != nil {
		t.Fatal(err)
	}
	before := later(t, database, root)
	run := func(args ...string) []byte {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), binary, args...)
		cmd.Env = env
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("%v: %v\n%s%s", args, err, out, &stderr)
		}
		return out
	}
	run("files", "sweep")
	var report struct {
		Missing, Orphaned, Damaged []any
		Files                      int
	}
	if err := json.Unmarshal(run("files", "fsck", "--json"), &report); err != nil {
		t.Fatal(err)
	}
	var rows int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM fileshare_items").Scan(&rows); err != nil {
		t.Fatal(err)
	}
	if stored := later(t, database, root); rows < len(files) || report.Files != rows || stored != rows {
		t.Errorf("%d clients were told of a file, there are %d rows, %d looked at, %d with bytes", len(files), rows, report.Files, stored)
	}
	serve := serveBinary(t, env)
	for id, sum := range files {
		if _, got, err := fetchFile(t.Context(), serve.url, token, id); err != nil || got != sum {
			t.Errorf("the file %s is lost: %v", id, err)
		}
	}
	if len(files) == 0 || broken == 0 {
		t.Errorf("the kills came too early or too late: %d files, %d uploads broken off", len(files), broken)
	}
	t.Logf("%d kills: of %d uploads %d were told of, %d rows; %d were broken off, %d files of bytes before the sweep, %d after", kills, tried, len(files), rows, broken, before, rows)
}

// later makes uploads and bytes older, so that neither are taken for those of a program that lives, and what was given up more
// than a day older, so that nothing of it is awaited. It returns how many files of bytes there are.
func later(t *testing.T, database, root string) (stored int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), `UPDATE service.file_uploads SET alive_at = alive_at - interval '2 hours', abandoned_at = abandoned_at - interval '25 hours',
		claimed_at = claimed_at - interval '2 hours'`); err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && entry.Name() != blob.Marker {
			stored++
			return os.Chtimes(path, time.Time{}, time.Now().Add(-2*time.Hour))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

// wantWhole sweeps and compares: the store has the bytes of so many files, each has a row, and nothing else is there.
func wantWhole(t *testing.T, env []string, database, root string, files int) {
	t.Helper()
	for _, args := range [][]string{{"files", "sweep"}, {"files", "sweep"}, {"files", "fsck"}} {
		later(t, database, root)
		cmd := exec.CommandContext(t.Context(), binary, args...)
		cmd.Env = env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var rows, events, uploads int
	err = conn.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM fileshare_items), (SELECT count(*) FROM automation_audits WHERE action = 'uploaded'),
		(SELECT count(*) FROM service.file_uploads)`).Scan(&rows, &events, &uploads)
	if stored := later(t, database, root); err != nil || rows != files || events != files || stored != files || uploads != 0 {
		t.Errorf("%d rows, %d audit events and %d files of bytes, want %d of each; %d uploads; %v", rows, events, stored, files, uploads, err)
	}
}

// TestServe_files_disk_full sends a file that finds no room: its client is told so, nothing is left of it, and a smaller one that
// comes next is taken.
func TestServe_files_disk_full(t *testing.T) {
	t.Parallel()
	root, database := t.TempDir(), pgtest.New(t)
	full, cause := int64(6<<20), "there is no room left for the file"
	err := syscall.Mount("tmpfs", root, "tmpfs", 0, "mode=0700,size=4m")
	limited := errors.Is(err, syscall.EPERM)
	switch {
	case limited: // not in every container may root mount
		cause = "the file cannot be stored at the moment"
	case err != nil:
		t.Fatal(err)
	default:
		t.Cleanup(func() {
			if err := syscall.Unmount(root, syscall.MNT_DETACH); err != nil {
				t.Error(err)
			}
		})
	}
	env := append(os.Environ(), "DATABASE_URL="+database, "UPLOAD_ROOT="+root)
	token := binaryToken(t, env, "writer")
	serve := serveBinary(t, env)
	if limited {
		if out, err := exec.CommandContext(t.Context(), "prlimit", "--pid", fmt.Sprint(serve.Process.Pid), "--fsize=4194304:").CombinedOutput(); err != nil {
			t.Fatalf("prlimit, of util-linux: %v: %s", err, out)
		}
	}
	for i := range 2 {
		if _, _, err := sendFile(t.Context(), serve.url, token, full); err == nil || !strings.Contains(err.Error(), "status 503") || !strings.Contains(err.Error(), cause) {
			t.Errorf("where there is no room: %v", err)
		}
		id, sent, err := sendFile(t.Context(), serve.url, token, 1<<20)
		if err != nil {
			t.Fatalf("where there is room again: %v", err)
		}
		if _, sum, err := fetchFile(t.Context(), serve.url, token, id); err != nil || sum != sent {
			t.Errorf("not what was sent, %v", err)
		}
		wantWhole(t, env, database, root, i+1)
	}
}

// TestServe_files_database_down takes the database away in the middle of uploads. Where it is away at the end, the client is told
// so and nothing is left; where it is back by then, there is the file. The same process goes on.
func TestServe_files_database_down(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	config := devpg.Config{Dir: pgtest.Dir(t), Settings: map[string]string{"max_connections": "40"}}
	var server *devpg.Server
	start := func() string {
		t.Helper()
		var err error
		if server, err = devpg.Start(t.Context(), config); err != nil {
			t.Fatal(err)
		}
		if err := server.EnsureDatabase(t.Context(), "portal"); err != nil {
			t.Fatal(err)
		}
		return server.URL("portal")
	}
	database := start()
	t.Cleanup(func() { _ = server.Stop() })
	env := append(os.Environ(), "DATABASE_URL="+database, "UPLOAD_ROOT="+root)
	up := exec.CommandContext(t.Context(), binary, "up")
	up.Env = env
	if out, err := up.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	token := binaryToken(t, env, "writer")
	serve := serveBinary(t, env)
	stored := 0
	for _, back := range []bool{false, true, false} {
		// The first half is on the disk before the database goes.
		const size = 2 << 20
		gone := make(chan struct{})
		content := io.MultiReader(io.LimitReader(noise(), size/2), waiting{gone}, noise())
		type result struct {
			id, sum string
			err     error
		}
		ended := make(chan result, 1)
		go func() {
			id, sum, err := sendContent(t.Context(), serve.url, token, content, size)
			ended <- result{id, sum, err}
		}()
		deadline := time.Now().Add(20 * time.Second)
		for begun := int64(0); begun < size/2-(128<<10); time.Sleep(10 * time.Millisecond) {
			begun = -int64(stored) * size
			_ = filepath.WalkDir(root, func(_ string, entry os.DirEntry, err error) error { // files come and go
				if err == nil && !entry.IsDir() {
					if info, err := entry.Info(); err == nil {
						begun += info.Size()
					}
				}
				return nil
			})
			if time.Now().After(deadline) {
				close(gone)
				t.Fatalf("the first half does not arrive: %v", (<-ended).err)
			}
		}
		if err := syscall.Kill(server.PID(), syscall.SIGQUIT); err != nil {
			t.Fatal(err)
		}
		<-server.Done()
		if err := server.Stop(); err != nil {
			t.Fatal(err)
		}
		if back && start() != database {
			t.Fatal("the server has another port")
		}
		close(gone)
		got := <-ended
		switch {
		case back && got.err != nil:
			t.Errorf("the database was back in time: %v", got.err)
		case !back && (got.err == nil || !strings.Contains(got.err.Error(), "status 503") || strings.Contains(got.err.Error(), "127.0.0.1")):
			t.Errorf("without a database: %v", got.err)
		}
		if !back && start() != database {
			t.Fatal("the server has another port")
		}
		if back {
			stored++
			if _, sum, err := fetchFile(t.Context(), serve.url, token, got.id); err != nil || sum != got.sum {
				t.Errorf("not what was sent, %v", err)
			}
		}
		wantWhole(t, env, database, root, stored)
	}
	if _, _, err := sendFile(t.Context(), serve.url, token, 1000); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// waiting is a reader that ends when something has happened.
type waiting struct{ until <-chan struct{} }

func (w waiting) Read([]byte) (int, error) {
	<-w.until
	return 0, io.EOF
}

// TestDev_files stores a file where dev keeps its data, with no setting at all.
func TestDev_files(t *testing.T) {
	t.Parallel()
	d := startDev(t, filepath.Join(pgtest.Dir(t), "cluster"))
	defer func() {
		_ = d.Process.Signal(os.Interrupt)
		if err := d.Wait(); err != nil {
			t.Errorf("dev: %v\n%s", err, d.stderr)
		}
	}()
	id, sent, err := sendFile(t.Context(), d.URL, d.Token, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if size, sum, err := fetchFile(t.Context(), d.URL, d.Token, id); size != 1000 || sum != sent || err != nil {
		t.Errorf("%d bytes, the same: %v, %v", size, sum == sent, err)
	}
}
