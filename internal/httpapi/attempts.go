package httpapi

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// DefaultWrongTokens is how many wrong tokens one address may send within attemptsWindow.
	DefaultWrongTokens = 20

	attemptsWindow = time.Minute

	// maxAddresses bounds the memory: what is kept for an address takes about 100 bytes.
	maxAddresses = 10_000
)

// attempts counts the wrong tokens of each address. It only ever judges wrong ones: behind one address there may be many
// services, and those with a good token must not suffer for another.
type attempts struct {
	mu        sync.Mutex
	most      int
	addresses map[netip.Addr]attempt
}

type attempt struct {
	wrong int
	until time.Time // when counting begins anew
}

func newAttempts(most int) *attempts {
	return &attempts{most: most, addresses: make(map[netip.Addr]attempt)}
}

// wrong notes a wrong token. It returns how long the address is not to try again, which is 0 within the limit.
func (a *attempts) wrong(address netip.Addr, now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	seen, ok := a.addresses[address]
	if !ok && len(a.addresses) >= maxAddresses {
		a.makeRoom(now)
	}
	if !ok || !now.Before(seen.until) {
		seen = attempt{until: now.Add(attemptsWindow)}
	}
	if seen.wrong >= a.most {
		return seen.until.Sub(now)
	}
	seen.wrong++
	a.addresses[address] = seen
	return 0
}

// makeRoom drops the addresses whose time is over, or else any of them.
func (a *attempts) makeRoom(now time.Time) {
	for address, seen := range a.addresses {
		if !now.Before(seen.until) {
			delete(a.addresses, address)
		}
	}
	for address := range a.addresses {
		if len(a.addresses) < maxAddresses {
			return
		}
		delete(a.addresses, address)
	}
}

// clientOf returns where a request comes from: the other end of its connection, or, as long as that is a proxy that is
// trusted, whom the proxy says that it has it from. Anybody else's X-Forwarded-For says what the caller likes.
func clientOf(r *http.Request, proxies []netip.Prefix) string {
	from := r.RemoteAddr
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop := strings.TrimSpace(hops[i])
		proxy := addressOf(from)
		if !slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(proxy) }) || !addressOf(hop).IsValid() {
			break
		}
		from = hop
	}
	return from
}

// addressOf reads an address, with or without a port; what is none gives the zero address.
func addressOf(remote string) netip.Addr {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = strings.Trim(remote, "[]")
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return address.Unmap().WithZone("")
}

// callerOf returns an address, in IPv6 its network of 64 bits, which is what one caller has.
func callerOf(remote string) netip.Addr {
	address := addressOf(remote)
	if address.Is6() {
		network, err := address.Prefix(64)
		if err == nil {
			return network.Addr()
		}
	}
	return address
}
