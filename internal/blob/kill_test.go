package blob_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"portaldb/internal/blob"
	"portaldb/internal/blob/s3test"
)

// uploaderRoot makes this program an uploader into the root that it holds, in place of the tests.
const uploaderRoot = "PORTALDB_TEST_UPLOADER"

// upload puts files until it is killed, and tells the path of each that is finished.
func upload(root string) {
	s, err := blob.Open(blob.Config{Root: root, ChunkSize: 64 << 10, Env: s3test.Env})
	if err != nil {
		panic(err)
	}
	for i := range 3 {
		go func() {
			for {
				seed := rand.Uint64()
				if i == 0 { // there always is a large one under way
					seed -= seed % 3
				}
				path := s.Path(fmt.Sprintf("%016x", seed), at)
				if err := s.Put(context.Background(), path, iotest.HalfReader(content(seed))); err != nil {
					panic(err)
				}
				fmt.Println(path)
			}
		}()
	}
	select {}
}

// content is a file that its name tells: every third is larger than a part of S3.
func content(seed uint64) io.Reader {
	size := int64(seed % (1 << 20))
	if seed%3 == 0 {
		size += 9 << 20
	}
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	return io.LimitReader(rand.NewChaCha8(key), size)
}

// TestPut_killed: whenever the process dies, a path has all its bytes or none, what was finished stays, and what was not is
// found and can be removed.
func TestPut_killed(t *testing.T) {
	t.Parallel()
	kills := 200
	if testing.Short() {
		kills = 10
	}
	for what, root := range map[string]string{"folder": t.TempDir(), "S3": s3test.Root(s3test.Bucket(t), "")} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := openAt(t, blob.Config{Root: root, Env: s3test.Env})
			finished, unfinished, n := 0, 0, 0
			for ; n < kills || (finished == 0 || unfinished == 0) && n < 20*kills; n++ { // until both have been seen
				told := killUploader(t, root)
				there := map[string]bool{}
				left := 0
				for entry, err := range s.All(t.Context()) {
					if err != nil {
						t.Fatal(err)
					}
					if entry.Unfinished {
						left++
						continue
					}
					there[entry.Path] = true
					var seed uint64
					if _, err := fmt.Sscanf(entry.Path[len(entry.Path)-16:], "%x", &seed); err != nil {
						t.Fatal(err)
					}
					r, _, err := s.Open(t.Context(), entry.Path)
					if err != nil {
						t.Fatal(err)
					}
					if err := sameAs(r, content(seed)); err != nil {
						t.Errorf("%s: %v", entry.Path, err)
					}
					r.Close()
				}
				for _, path := range told {
					if !there[path] {
						t.Errorf("%s was finished and is gone", path)
					}
				}
				removeAll(t, s)
				finished, unfinished = finished+len(told), unfinished+left
			}
			t.Logf("%d kills, %d files finished, %d not", n, finished, unfinished)
			if finished == 0 || unfinished == 0 {
				t.Errorf("after %d kills there were %d finished files and %d unfinished", n, finished, unfinished)
			}
		})
	}
}

// removeAll empties a store. A server may still be busy with what it was sent before its client died.
func removeAll(t testing.TB, s *blob.Set) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		left := 0
		for entry, err := range s.All(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			left++
			if err := s.Remove(t.Context(), entry.Path); err != nil {
				t.Fatal(err)
			}
		}
		if left == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d files cannot be removed", left)
		}
	}
}

// killUploader runs an uploader for a while, and returns the paths that it told.
func killUploader(t testing.TB, root string) (told []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), uploaderRoot+"="+root)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var timer *time.Timer
	for lines.Scan() {
		if timer == nil { // it works now
			timer = time.AfterFunc(time.Duration(rand.IntN(100))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		}
		if path := lines.Text(); strings.Contains(path, "/2026/03/02/") && len(path) > 16 {
			told = append(told, path)
		}
	}
	_ = cmd.Wait()
	if timer == nil {
		t.Fatal("the uploader ended before it had put a file")
	}
	return told
}
