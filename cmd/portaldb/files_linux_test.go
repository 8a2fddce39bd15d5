package main_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"portaldb/internal/blob"
	"portaldb/internal/blob/s3test"
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
	var seed [32]byte
	rand.Read(seed[:])
	hash := sha256.New()
	const head = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\n"
	const tail = "\r\n--b--\r\n"
	body := io.MultiReader(bytes.NewReader([]byte(head)), io.TeeReader(io.LimitReader(mathrand.NewChaCha8(seed), size), hash), bytes.NewReader([]byte(tail)))
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

	// An hour later, so that neither uploads nor bytes are taken for those of a program that lives.
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	left, err := conn.Exec(t.Context(), "UPDATE service.file_uploads SET alive_at = alive_at - interval '2 hours'")
	if err != nil {
		t.Fatal(err)
	}
	stored := func() (n int) {
		t.Helper()
		err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
			if err == nil && !entry.IsDir() && entry.Name() != blob.Marker {
				n++
				return os.Chtimes(path, time.Time{}, time.Now().Add(-2*time.Hour))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := stored()
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
	if rows < len(files) || report.Files != rows || stored() != rows {
		t.Errorf("%d clients were told of a file, there are %d rows, %d looked at, %d with bytes", len(files), rows, report.Files, stored())
	}
	serve := serveBinary(t, env)
	for id, sum := range files {
		if _, got, err := fetchFile(t.Context(), serve.url, token, id); err != nil || got != sum {
			t.Errorf("the file %s is lost: %v", id, err)
		}
	}
	if len(files) == 0 || left.RowsAffected() == 0 {
		t.Errorf("the kills came too early or too late: %d files, %d uploads broken off", len(files), left.RowsAffected())
	}
	t.Logf("%d kills: of %d uploads %d were told of, %d rows; %d were broken off, %d files of bytes before the sweep, %d after", kills, tried, len(files), rows, left.RowsAffected(), before, rows)
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
