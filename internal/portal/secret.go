package portal

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"

	"portaldb/db"
)

// What a new secret is hashed with: argon2id with 19 MiB, 2 passes and one lane, as OWASP recommends it. One at a time takes
// about 30 ms of a core.
const (
	argonMemory  = 19 << 10 // KiB
	argonPasses  = 2
	argonLanes   = 1
	argonSalt    = 16 // bytes
	argonKey     = 32 // bytes
	maxArgon     = 2  // how many are computed at once: each takes its memory
	maxSecret    = 1000
	secretWait   = 10 * time.Second
	secretFor    = 5 * time.Minute // how long a secret that was right is believed
	maxSecretsOf = 1000            // how many of them are remembered
)

// How many wrong secrets there may be in 15 minutes. An attack from many addresses shuts a file for a while, one from a single
// address, which may be that of a whole office, does not.
const (
	maxItemAttempts    = 50
	maxAddressAttempts = 20
)

// What a protected file lacks. Both are of CodeForbidden.
var (
	ErrSecretRequired = &Error{Code: CodeForbidden, Message: "the file is protected: its secret is needed"}
	ErrSecretWrong    = &Error{Code: CodeForbidden, Message: "this is not the secret of the file"}
)

var (
	errAttempts   = &Error{Code: CodeTooMany, Message: "too many wrong secrets were given of late; try again in 15 minutes"}
	errLongSecret = invalid(fmt.Sprintf("secret must not be longer than %d bytes", maxSecret))
)

// secrets hashes and verifies the secrets of files.
type secrets struct {
	slots chan struct{}

	// Secrets that were right, by a hash under a key that no other process has: parts of a file are asked for one by one.
	key   [sha256.Size]byte
	mu    *sync.Mutex
	right map[[sha256.Size]byte]time.Time // until when
}

func newSecrets() secrets {
	s := secrets{slots: make(chan struct{}, maxArgon), mu: &sync.Mutex{}, right: make(map[[sha256.Size]byte]time.Time)}
	rand.Read(s.key[:])
	return s
}

// wait returns when there is room for one more computation; done gives it back.
func (s *secrets) wait(ctx context.Context) (done func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, secretWait)
	defer cancel()
	select {
	case s.slots <- struct{}{}:
		return func() { <-s.slots }, nil
	case <-ctx.Done():
		return nil, &Error{Code: CodeUnavailable, Message: "too many secrets are being checked; try again", Err: ctx.Err()}
	}
}

// hash returns what to keep of a secret.
func (s *secrets) hash(ctx context.Context, secret string) (string, error) {
	done, err := s.wait(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	return newSecretHash(secret), nil
}

func newSecretHash(secret string) string {
	salt := make([]byte, argonSalt)
	rand.Read(salt) // never fails
	key := argon2.IDKey([]byte(secret), salt, argonPasses, argonMemory, argonLanes, argonKey)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonPasses, argonLanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

// legacySecret says whether the legacy code has made the hash.
func legacySecret(hash string) bool { return strings.HasPrefix(hash, "sha256:") }

// verifySecret says whether the hash is that of the secret. A hash of any other form is that of none.
func verifySecret(hash, secret string) bool {
	if legacySecret(hash) {
		parts := strings.Split(hash, ":")
		if len(parts) != 3 {
			return false
		}
		want, err := hex.DecodeString(parts[2])
		sum := sha256.Sum256([]byte(parts[1] + secret))
		return err == nil && subtle.ConstantTimeCompare(want, sum[:]) == 1
	}
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return false
	}
	var memory, passes uint32
	var lanes uint8
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes); n != 3 || err != nil {
		return false
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil || memory > 64<<10 || passes == 0 || passes > 10 || lanes == 0 || lanes > 4 {
		return false
	}
	want, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(want) < 16 || len(want) > 64 {
		return false
	}
	return subtle.ConstantTimeCompare(want, argon2.IDKey([]byte(secret), salt, passes, memory, lanes, uint32(len(want)))) == 1 //nolint:gosec // at most 64
}

// checkSecret returns nil if the file needs no secret or the one given opens it. Otherwise ErrSecretRequired, ErrSecretWrong, or
// CodeTooMany once there were too many wrong ones.
func (f *Files) checkSecret(ctx context.Context, file db.FileshareItem, secret *string, address string) error {
	switch {
	case file.SecretHash == nil:
		return nil
	case secret == nil || *secret == "":
		return ErrSecretRequired
	case len(*secret) > maxSecret:
		return ErrSecretWrong
	}
	known := f.secrets.mark(file.ID, *file.SecretHash, *secret)
	if f.secrets.believed(known, f.now()) {
		return nil
	}
	// The attempt is counted while it has its turn: callers with the right secret who come together do not use up the attempts.
	done, err := f.secrets.wait(ctx)
	if err != nil {
		return err
	}
	defer done()
	address = network(address)
	counted, err := f.primary.CountAttempt(ctx, db.CountAttemptParams{
		Address:      address,
		FileID:       file.ID,
		AddressLimit: maxAddressAttempts,
		ItemLimit:    maxItemAttempts,
	})
	switch {
	case err != nil:
		return err
	case !counted:
		return errAttempts
	case !verifySecret(*file.SecretHash, *secret):
		return ErrSecretWrong
	}
	if _, err := f.primary.ReturnAttempt(ctx, db.ReturnAttemptParams{Address: address, FileID: file.ID}); err != nil {
		return err
	}
	if f.cfg.RehashSecrets && legacySecret(*file.SecretHash) {
		// If this fails the next one who gives the secret does it.
		_, _ = f.primary.UpdateFileSecretHash(ctx, db.UpdateFileSecretHashParams{
			ID:            file.ID,
			OldSecretHash: *file.SecretHash,
			SecretHash:    newSecretHash(*secret),
		})
	}
	f.secrets.believe(known, f.now())
	return nil
}

// mark is by what a right secret is remembered; it is of no use to another process.
func (s *secrets) mark(id, hash, secret string) [sha256.Size]byte {
	mac := hmac.New(sha256.New, s.key[:])
	for _, text := range []string{id, hash, secret} {
		fmt.Fprintf(mac, "%d:%s", len(text), text)
	}
	return [sha256.Size]byte(mac.Sum(nil))
}

func (s *secrets) believed(mark [sha256.Size]byte, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	until, ok := s.right[mark]
	return ok && now.Before(until)
}

func (s *secrets) believe(mark [sha256.Size]byte, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.right) >= maxSecretsOf {
		clear(s.right)
	}
	s.right[mark] = now.Add(secretFor)
}

// network is what an address counts as: one caller has at least a /64 of IPv6.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	return netip.PrefixFrom(ip, 64).Masked().String()
}
