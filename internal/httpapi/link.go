package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"portaldb/internal/portal"
)

// newLink is the body that makes a link.
type newLink struct {
	Expires  string  `json:"expires,omitempty" enum:"1d,7d,30d" default:"7d" doc:"How long the link holds: no longer than the file in any case."`
	Secret   *string `json:"secret,omitempty" doc:"That of a protected file. Who uses the link needs none."`
	ActorCPF *string `json:"actor_cpf,omitempty" doc:"Who asks for the link: of a protected file this must be its owner_id."`
}

func (n *newLink) decode(data []byte) error {
	return decodeObject(data, func(name string) any {
		switch name {
		case "expires":
			return &n.Expires
		case "secret":
			return &n.Secret
		case "actor_cpf":
			return &n.ActorCPF
		}
		return nil
	})
}

// link is a portal.Link on the wire.
type link struct {
	ID        string     `json:"id" format:"uuid"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt time.Time  `json:"expires_at"`
	RevokedAt *time.Time `json:"revoked_at"`
	CreatedBy string     `json:"created_by" doc:"The API token's name."`
	ActorCPF  *string    `json:"actor_cpf" doc:"Who asked for it."`
}

func newWireLink(l portal.Link) link {
	return link{ID: l.ID.String(), CreatedAt: l.CreatedAt, ExpiresAt: l.ExpiresAt, RevokedAt: l.RevokedAt, CreatedBy: l.CreatedBy, ActorCPF: l.ActorCPF}
}

// madeLink is what a link is told by once.
type madeLink struct {
	ID        string    `json:"id" format:"uuid"`
	URL       string    `json:"url" doc:"The path that the link has at this service."`
	Token     string    `json:"token" doc:"What the link is known by. Only its hash is kept: it cannot be had again."`
	ExpiresAt time.Time `json:"expires_at"`
}

type (
	createLink struct {
		ID   string `path:"id"`
		Body newLink
	}
	createdLink struct{ Body madeLink }
	manyLinks   struct {
		Body struct {
			Items      []link  `json:"items"`
			NextCursor *string `json:"next_cursor" doc:"Where the next page begins; null on the last one."`
		}
	}
	revokeLink struct {
		ID   string `path:"id"`
		Link string `path:"link"`
	}
)

type listLinks struct {
	ID   string `path:"id"`
	page portal.PageRequest
}

// Resolve reads the parameters.
func (l *listLinks) Resolve(ctx huma.Context) []error {
	q := readQuery(ctx)
	l.page = q.page()
	return q.errs
}

func (a *API) addLinks() {
	tags := []string{"files"}
	register(a, huma.Operation{
		OperationID: "create-link",
		Method:      http.MethodPost,
		Path:        "/v1/files/{id}/links",
		Summary:     "Make a link that needs no API token",
		Description: "A protected file's link needs its secret and, where actor_cpf is given, that it is the owner; a token of the role admin needs neither.",
		Tags:        tags, DefaultStatus: http.StatusCreated,
		Errors: []int{http.StatusGone},
	}, portal.RoleWriter, a.createLink)
	register(a, huma.Operation{
		OperationID: "list-links",
		Method:      http.MethodGet,
		Path:        "/v1/files/{id}/links",
		Summary:     "List the links of a file, the newest first",
		Description: "Those that have expired or were revoked too.",
		Tags:        tags,
		Parameters:  namesParams,
	}, portal.RoleReader, a.listLinks)
	register(a, huma.Operation{
		OperationID:   "revoke-link",
		Method:        http.MethodDelete,
		Path:          "/v1/files/{id}/links/{link}",
		Summary:       "Revoke a link for good",
		Description:   "What is being downloaded by it goes on.",
		Tags:          tags,
		DefaultStatus: http.StatusNoContent,
	}, portal.RoleWriter, a.revokeLink)
}

func (a *API) createLink(ctx context.Context, in *createLink) (*createdLink, error) {
	x := exchangeOf(ctx)
	made, token, err := a.files.CreateLink(ctx, portal.Token{Name: x.token, Role: x.role}, in.ID, portal.NewLink{
		Expires: in.Body.Expires, Secret: in.Body.Secret, ActorCPF: in.Body.ActorCPF, Address: x.address(),
	})
	if err != nil {
		return nil, err
	}
	return &createdLink{madeLink{ID: made.ID.String(), URL: "/s/" + token, Token: token, ExpiresAt: made.ExpiresAt}}, nil
}

func (a *API) listLinks(ctx context.Context, in *listLinks) (*manyLinks, error) {
	page, err := a.files.ListLinks(ctx, in.ID, in.page)
	if err != nil {
		return nil, err
	}
	answer := &manyLinks{}
	answer.Body.Items = make([]link, len(page.Items))
	for i, l := range page.Items {
		answer.Body.Items[i] = newWireLink(l)
	}
	if page.NextCursor != "" {
		answer.Body.NextCursor = &page.NextCursor
	}
	return answer, nil
}

func (a *API) revokeLink(ctx context.Context, in *revokeLink) (*noContent, error) {
	return nil, a.files.RevokeLink(ctx, exchangeOf(ctx).token, in.ID, in.Link)
}
