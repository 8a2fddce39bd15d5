package schema_test

import (
	"net"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"portaldb/internal/pgtest"
	"portaldb/internal/schema"
)

// TestEngine_connection_notices_silence looks at the client's socket, also where the URL has a time for connecting.
func TestEngine_connection_notices_silence(t *testing.T) {
	t.Parallel()
	for _, parameter := range []string{"", "&connect_timeout=20"} {
		err := open(t, pgtest.Empty(t)+parameter, files("select 1;")).WithConnection(t.Context(), func(conn net.Conn) error {
			raw, err := conn.(syscall.Conn).SyscallConn()
			if err != nil {
				return err
			}
			return raw.Control(func(fd uintptr) {
				option := func(level, name int) time.Duration {
					value, err := unix.GetsockoptInt(int(fd), level, name)
					if err != nil {
						t.Error(err)
					}
					return time.Duration(value)
				}
				if option(unix.SOL_SOCKET, unix.SO_KEEPALIVE) == 0 {
					t.Error("it does not ask")
				}
				asks := time.Second * (option(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE) +
					option(unix.IPPROTO_TCP, unix.TCP_KEEPINTVL)*option(unix.IPPROTO_TCP, unix.TCP_KEEPCNT))
				unanswered := time.Millisecond * option(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)
				if asks != schema.Unheard || unanswered != schema.Unheard {
					t.Errorf("asks for %s, sends for %s, want %s both", asks, unanswered, schema.Unheard)
				}
			})
		})
		if err != nil {
			t.Error(err)
		}
	}
}
