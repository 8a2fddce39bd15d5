package schema

import (
	"net"
	"time"
)

// A network may go silent without a word: a cable, a firewall that forgot the connection, a machine without power. A
// statement may be as silent for hours, and only its kernel says that the other side is still there. So both sides ask the
// other's kernel.

// unheard is how long the other side may answer nothing, neither data nor a question whether it is there, before it is
// taken for gone. keepAlive asks so often that it adds up to that.
const unheard = time.Minute

var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}

// lookTimeout is how long a run whose connection was lost tries to find out where it left the database.
const lookTimeout = 10 * time.Second

// dialer makes connections that notice within the time of unheard that the other side is gone. timeout bounds the making; 0 leaves
// that to the system.
func dialer(timeout time.Duration) *net.Dialer {
	return &net.Dialer{Timeout: timeout, KeepAliveConfig: keepAlive, Control: limitUnanswered}
}
