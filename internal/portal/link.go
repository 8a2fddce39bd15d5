package portal

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"portaldb/db"
)

// Link opens one file to whoever has its token, without an API token and without the secret. Only the SHA-256 of the token is
// kept.
type Link struct {
	ID        uuid.UUID
	FileID    string
	CreatedAt time.Time
	ExpiresAt time.Time // not after the file
	CreatedBy string    // the name of the API token
	ActorCPF  *string   // who wanted it
	RevokedAt *time.Time
}

func newLink(row db.ListLinksRow) Link {
	return Link{
		ID:        row.ID,
		FileID:    row.FileID,
		CreatedAt: row.CreatedAt,
		ExpiresAt: row.ExpiresAt,
		CreatedBy: row.CreatedBy,
		ActorCPF:  row.ActorCpf,
		RevokedAt: row.RevokedAt,
	}
}

// NewLink is a link to make.
type NewLink struct {
	Expires  string  // 1d, 7d, which is the default, or 30d; the link ends with the file at the latest
	Secret   *string // of a protected file
	ActorCPF *string // who wants it; nil or empty: not known
	Address  string  // of who asks: an IP address without a port
}

var errNotOwner = &Error{Code: CodeForbidden, Message: "the file is protected: only its owner may have a link to it"}

// CreateLink makes a link to a file and returns its token, which cannot be had again. The link of a protected file needs the
// secret, and ActorCPF, if it is given, has to be the owner; an API token of role admin needs neither.
//
// ErrNoFile, ErrFileExpired, ErrFileDeleted, ErrSecretRequired, ErrSecretWrong, CodeForbidden for who is not the owner, CodeTooMany.
func (f *Files) CreateLink(ctx context.Context, token Token, fileID string, n NewLink) (Link, string, error) {
	if n.ActorCPF != nil && *n.ActorCPF == "" {
		n.ActorCPF = nil
	}
	switch {
	case ttlHours[n.Expires] == 0:
		return Link{}, "", invalid("expires must be 1d, 7d or 30d")
	case n.ActorCPF != nil && len(*n.ActorCPF) > maxOwner:
		return Link{}, "", invalid("actor_cpf must not be longer than 200 bytes")
	}
	row, err := f.get(ctx, fileID)
	if err == nil {
		err = usable(row)
	}
	if err != nil {
		return Link{}, "", err
	}
	if file := row.FileshareItem; file.SecretHash != nil && !token.Role.Includes(RoleAdmin) {
		if n.ActorCPF != nil && (file.OwnerID == nil || *file.OwnerID != *n.ActorCPF) {
			return Link{}, "", errNotOwner
		}
		if err := f.checkSecret(ctx, file, n.Secret, n.Address); err != nil {
			return Link{}, "", err
		}
	}
	secret := rand.Text()
	hash := sha256.Sum256([]byte(secret))
	created, err := f.primary.CreateLink(ctx, db.CreateLinkParams{
		FileID:    fileID,
		TokenHash: hash[:],
		TtlHours:  ttlHours[n.Expires],
		Token:     token.Name,
		ActorCpf:  n.ActorCPF,
	})
	if ErrorCode(err) == CodeNotFound {
		return Link{}, "", ErrFileDeleted // a moment ago
	}
	if err != nil {
		return Link{}, "", err
	}
	return newLink(db.ListLinksRow(created)), secret, nil
}

// linkFilter is that of the list of one file's links.
type linkFilter struct {
	File string `json:"file"`
}

func (*linkFilter) normalize() error { return nil }

// ListLinks returns the links of a file, the newest first, expired and revoked ones too, without their tokens. page has no
// Offset and no Count. ErrNoFile if there is no file with that id.
func (f *Files) ListLinks(ctx context.Context, fileID string, page PageRequest) (Page[Link], error) {
	start, err := resume("links", linkFilter{fileID}, page)
	if err != nil {
		return Page[Link]{}, err
	}
	params := db.ListLinksParams{FileID: fileID, RowLimit: start.fetch()}
	if start.before != nil {
		at := start.before.at()
		id, err := uuid.Parse(start.before.ID)
		if err != nil {
			return Page[Link]{}, errCursor
		}
		params.BeforeAt, params.BeforeID = &at, &id
	}
	rows, err := f.primary.ListLinks(ctx, params)
	if err == nil && len(rows) == 0 {
		_, err = f.get(ctx, fileID)
	}
	if err != nil {
		return Page[Link]{}, err
	}
	return pageOf(start, rows, func(row db.ListLinksRow) (time.Time, string) { return row.CreatedAt, row.ID.String() }, newLink), nil
}

// RevokeLink ends a link, with an audit event that names the API token of that name. One that is revoked already stays as it is.
// ErrNoLink if the file has no such link.
func (f *Files) RevokeLink(ctx context.Context, token, fileID, linkID string) error {
	id, err := uuid.Parse(linkID)
	if err != nil {
		return ErrNoLink
	}
	_, err = f.primary.RevokeLink(ctx, db.RevokeLinkParams{ID: id, FileID: fileID, Token: token})
	if ErrorCode(err) == CodeNotFound {
		return ErrNoLink
	}
	return err
}

// OpenLink opens the file of a link. A link of the legacy code, which is no more than a signature, asks for the secret of a
// protected file; others do not.
//
// ErrNoLink, ErrLinkRevoked, ErrLinkExpired and the errors of Open.
func (f *Files) OpenLink(ctx context.Context, linkToken string, a Access) (*Download, error) {
	if strings.Contains(linkToken, ".") {
		return f.openLegacyLink(ctx, linkToken, a)
	}
	hash := sha256.Sum256([]byte(linkToken))
	row, err := f.primary.GetFileByLink(ctx, hash[:])
	switch {
	case ErrorCode(err) == CodeNotFound:
		return nil, ErrNoLink
	case err != nil:
		return nil, err
	case row.Revoked:
		return nil, ErrLinkRevoked
	}
	if err := usable(db.GetFileRow{FileshareItem: row.FileshareItem, Expired: row.Expired}); err != nil {
		return nil, err
	}
	if row.LinkExpired {
		return nil, ErrLinkExpired
	}
	return f.openLinked(ctx, row.FileshareItem, &row.LinkID, row.LinkExpiresAt, a.Address)
}

// openLegacyLink is OpenLink for ID.EXPIRY.HMAC: the time in seconds of Unix time, and in hexadecimal the HMAC-SHA256 of what is
// before it. Without the key every such link is unknown.
func (f *Files) openLegacyLink(ctx context.Context, token string, a Access) (*Download, error) {
	signed, signature, _ := cutLast(token, ".")
	id, expiry, ok := cutLast(signed, ".")
	given, err := hex.DecodeString(signature)
	expires, bad := strconv.ParseInt(expiry, 10, 64)
	if f.cfg.SessionSecret == "" || !ok || err != nil || bad != nil {
		return nil, ErrNoLink
	}
	mac := hmac.New(sha256.New, []byte(f.cfg.SessionSecret))
	mac.Write([]byte(signed))
	switch {
	case !hmac.Equal(mac.Sum(nil), given):
		return nil, ErrNoLink
	case f.now().Unix() >= expires:
		return nil, ErrLinkExpired
	}
	row, err := f.get(ctx, id)
	if err == nil {
		err = usable(row)
	}
	if err == nil {
		err = f.checkSecret(ctx, row.FileshareItem, a.Secret, a.Address)
	}
	if err != nil {
		return nil, err
	}
	return f.openLinked(ctx, row.FileshareItem, nil, time.Unix(expires, 0).UTC(), a.Address)
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
