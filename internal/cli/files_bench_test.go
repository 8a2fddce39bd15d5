package cli_test

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	benchFile  = 1 << 30 // bytes
	benchFiles = 500     // small ones: that many people do not all take the same
)

// BenchmarkFiles prints how fast a large file goes in and out and how many small ones go out, next to dd with fsync and to
// nginx with sendfile, over the same bytes on the same disk, in interleaved rounds of which the median counts.
func BenchmarkFiles(b *testing.B) {
	dir := b.TempDir()
	root := filepath.Join(dir, "uploads")
	if err := os.Mkdir(root, 0o755); err != nil {
		b.Fatal(err)
	}
	ours := startOurs(b, benchDatabase(b), "UPLOAD_ROOT="+root)
	large, small := filepath.Join(dir, "large"), filepath.Join(dir, "small")
	writeRandom(b, large, benchFile)
	writeRandom(b, small, 10<<10)
	nginx := startNginx(b, dir)

	for b.Loop() {
		var dd, up, theirs, mine []float64
		largeID := ""
		for range benchRounds {
			target := filepath.Join(dir, "copy")
			start := time.Now()
			if out, err := exec.CommandContext(b.Context(), "dd", "if="+large, "of="+target, "bs=1M", "conv=fsync").CombinedOutput(); err != nil {
				b.Fatalf("%v\n%s", err, out)
			}
			dd = append(dd, speedOf(start))
			if err := os.Remove(target); err != nil {
				b.Fatal(err)
			}
			start = time.Now()
			largeID = ours.upload(b, large)
			up = append(up, speedOf(start))
		}
		content := "/v1/files/" + largeID + "/content"
		for range benchRounds {
			theirs = append(theirs, nginx.download(b, "/large"))
			mine = append(mine, ours.download(b, content))
		}
		var contents []string
		for range benchFiles {
			contents = append(contents, "/v1/files/"+ours.upload(b, small)+"/content")
		}
		request := func(i int) (string, string, string) { return "GET", contents[i%len(contents)], "" }
		var peerSmall, counted, continued []speed
		for range benchRounds {
			ours.headers = ""
			peerSmall = append(peerSmall, nginx.hammer(b, 64, func(int) (string, string, string) { return "GET", "/small", "" }))
			counted = append(counted, ours.hammer(b, 64, request))
			ours.headers = "Range: bytes=1-\r\n" // goes on with a download: neither a count nor an event, but the row that bounds continuations
			continued = append(continued, ours.hammer(b, 64, request))
		}
		var table strings.Builder
		fmt.Fprintf(&table, "%-48s %9s %9s %7s\n", "files", "portaldb", "peer", "ratio")
		line := func(name string, mine, peer float64) {
			fmt.Fprintf(&table, "%-48s %9.0f %9.0f %7.2f\n", name, mine, peer, mine/peer)
		}
		line("upload of 1 GiB, MB/s, to dd + fsync", median(up), median(dd))
		line("download of 1 GiB, MB/s, to nginx", median(mine), median(theirs))
		p := medianSpeed(peerSmall)
		line("10 KiB, 64 connections, a second, to nginx", medianSpeed(counted).rate, p.rate)
		line("the same as continuations, no count, no event", medianSpeed(continued).rate, p.rate)
		fmt.Fprintf(&table, "most memory: portaldb %d MiB\n", ours.memory(b)>>10)
		fmt.Print("\n", table.String())
	}
}

func writeRandom(b *testing.B, path string, size int64) {
	b.Helper()
	file, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	if _, err := io.CopyN(file, rand.Reader, size); err != nil {
		b.Fatal(err)
	}
	if err := file.Sync(); err != nil {
		b.Fatal(err)
	}
}

// speedOf is that of a large file since start, in MB a second.
func speedOf(start time.Time) float64 { return benchFile / 1e6 / time.Since(start).Seconds() }

func median(values []float64) float64 { return slices.Sorted(slices.Values(values))[len(values)/2] }

// startNginx serves the folder as nginx does it best: from the page cache by sendfile, without a log.
func startNginx(b *testing.B, dir string) *peer {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	addr := listener.Addr().String()
	if err := listener.Close(); err != nil {
		b.Fatal(err)
	}
	work := filepath.Join(dir, "nginx")
	if err := os.Mkdir(work, 0o755); err != nil {
		b.Fatal(err)
	}
	user := ""
	if os.Getuid() == 0 {
		user = "user root;"
	}
	config := filepath.Join(work, "nginx.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, `%s
daemon off; worker_processes auto; pid %[2]s/pid; error_log stderr;
events { worker_connections 1024; }
http {
  sendfile on; tcp_nopush on; access_log off; open_file_cache max=100; keepalive_requests 1000000;
  client_body_temp_path %[2]s; proxy_temp_path %[2]s; fastcgi_temp_path %[2]s; uwsgi_temp_path %[2]s; scgi_temp_path %[2]s;
  server { listen %[3]s; root %[4]s; }
}
`, user, work, addr, dir), 0o600); err != nil {
		b.Fatal(err)
	}
	binary, err := exec.LookPath("nginx")
	if err != nil {
		binary = "/usr/sbin/nginx"
	}
	cmd := exec.CommandContext(b.Context(), binary, "-c", config, "-e", "stderr")
	// Killed at once, it would leave its workers behind.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	var output bytes.Buffer
	cmd.Stderr = &output
	if err := cmd.Start(); err != nil {
		b.Fatalf("%v: tools/install.sh nginx installs it", err)
	}
	b.Cleanup(func() {
		_ = cmd.Cancel()
		_ = cmd.Wait()
	})
	for end := time.Now().Add(10 * time.Second); ; {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
			return &peer{addr: addr, process: cmd.Process}
		}
		if time.Now().After(end) {
			b.Fatalf("nginx does not answer: %v\n%s", err, &output)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// upload sends a file as a form and returns its id.
func (p *peer) upload(b *testing.B, path string) string {
	b.Helper()
	file, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		b.Fatal(err)
	}
	const head = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"documento.bin\"\r\n\r\n"
	const tail = "\r\n--x--\r\n"
	request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "http://"+p.addr+"/v1/files",
		io.MultiReader(strings.NewReader(head), file, strings.NewReader(tail)))
	if err != nil {
		b.Fatal(err)
	}
	request.ContentLength = int64(len(head)) + info.Size() + int64(len(tail))
	request.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	request.Header.Set("Authorization", "Bearer "+p.token)
	client := &http.Client{Transport: &http.Transport{WriteBufferSize: 256 << 10}}
	response, err := client.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	var created struct{ ID string }
	if err != nil || response.StatusCode != http.StatusCreated || json.Unmarshal(content, &created) != nil {
		b.Fatalf("upload: %d, %v\n%s", response.StatusCode, err, content)
	}
	return created.ID
}

// download reads a large file and returns the speed, in MB a second.
func (p *peer) download(b *testing.B, path string) float64 {
	b.Helper()
	start := time.Now()
	conn, err := net.Dial("tcp", p.addr)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(p.request(http.MethodGet, path, "")); err != nil {
		b.Fatal(err)
	}
	reader := bufio.NewReaderSize(conn, 64<<10)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	buffer := make([]byte, 256<<10)
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, response.Body, buffer)
	if err != nil || n != benchFile || response.StatusCode != http.StatusOK {
		b.Fatalf("download: %d, %d bytes, %v", response.StatusCode, n, err)
	}
	return speedOf(start)
}
