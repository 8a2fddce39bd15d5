package httpapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"portaldb/internal/console"
	"portaldb/internal/portal"
)

// maxShareForm is the longest form that the share page sends, in bytes.
const maxShareForm = 16 << 10

type openLink struct {
	Token  string `path:"token"`
	Secret string `header:"X-File-Secret" doc:"The secret of a protected file, which the links of the legacy code ask for."`
	Range  string `header:"Range" doc:"Which bytes are wanted. What begins behind the first byte continues a download and does not count as another one."`
	Accept string `header:"Accept" doc:"With text/html the answer is a page for people, on which they start the download."`
}

func (a *API) addShare() {
	responses := contentResponses(a.huma.OpenAPI().Components.Schemas)
	responses["200"].Content["text/html"] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}, Example: "<!doctype html>"}
	register(a, huma.Operation{
		OperationID: "open-link",
		Method:      http.MethodGet,
		Path:        "/s/{token}",
		Summary:     "Download a file by a link",
		Description: "The bytes for a program, a page for a browser. The links that the legacy code has signed hold too, where the service is set to take them.",
		Tags:        []string{"files"},
		Metadata:    map[string]any{"kept": true},
		Parameters:  []*huma.Param{choiceParam("download", "1: the bytes in any case. Other parameters are of no account here.", "1")},
		Responses:   responses,
		Errors: []int{
			http.StatusForbidden, http.StatusNotFound, http.StatusGone, http.StatusPreconditionFailed,
			http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable,
		},
	}, "", func(_ context.Context, in *openLink) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(hctx huma.Context) {
			r, w := humago.Unwrap(hctx)
			a.share(w, r, in.Token, secretOf(r), r.URL.Query().Get("download") == "1")
		}}, nil
	})
	a.mux.HandleFunc("POST /s/{token}", a.shareForm)
}

// shareForm takes the form of the share page.
func (a *API) shareForm(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, maxShareForm)
	if err := r.ParseForm(); err != nil { // it is not what the page sends: here is the page
		sharePage(w, r, http.StatusBadRequest, console.SharePage{State: console.ShareSecret})
		return
	}
	secret := r.PostForm.Get("secret")
	a.share(w, r, r.PathValue("token"), &secret, true)
}

// share answers with the file of a link, or with a page about it.
func (a *API) share(w http.ResponseWriter, r *http.Request, token string, secret *string, download bool) {
	access := portal.Access{Secret: secret, Address: exchangeOf(r.Context()).address()}
	w.Header().Add("Vary", "Accept")
	people := weightOf(r.Header.Get("Accept"), "text/html") > 0
	if people && !download {
		found, err := a.files.OpenLink(r.Context(), token, access)
		if err != nil {
			shareFailure(w, r, failure(exchangeOf(r.Context()), err).Status, err)
			return
		}
		defer func() { _ = found.Close() }() // it was only read
		if most := found.File.MaxDownloads; most != nil && found.File.Downloads >= *most {
			shareFailure(w, r, http.StatusGone, portal.ErrFileUsedUp)
			return
		}
		sharePage(w, r, http.StatusOK, console.SharePage{
			State: console.ShareReady, Filename: found.File.Filename, Size: found.File.Size, Until: found.Until,
		})
		return
	}
	a.send(w, r, func(ctx context.Context) (*portal.Download, error) { return a.files.OpenLink(ctx, token, access) }, func(p *problem, err error) {
		if people && err != nil {
			shareFailure(w, r, p.Status, err)
			return
		}
		p.write(w)
	})
}

// shareFailure answers with a page that says why there is no file.
func shareFailure(w http.ResponseWriter, r *http.Request, status int, err error) {
	page := console.SharePage{State: console.ShareFailed}
	switch {
	case errors.Is(err, portal.ErrSecretRequired):
		page.State, status = console.ShareSecret, http.StatusOK
	case errors.Is(err, portal.ErrSecretWrong):
		page.State = console.ShareWrongSecret
	case errors.Is(err, portal.ErrFileExpired), errors.Is(err, portal.ErrLinkExpired):
		page.State = console.ShareExpired
	case errors.Is(err, portal.ErrLinkRevoked):
		page.State = console.ShareRevoked
	case errors.Is(err, portal.ErrFileDeleted):
		page.State = console.ShareDeleted
	case errors.Is(err, portal.ErrFileUsedUp):
		page.State = console.ShareUsedUp
	case status == http.StatusGone:
		page.State = console.ShareGone
	case status == http.StatusTooManyRequests:
		page.State = console.ShareTooMany
		w.Header().Set("Retry-After", retrySecret)
	case status == http.StatusNotFound, status == http.StatusBadRequest:
		page.State = console.ShareUnknown
	}
	sharePage(w, r, status, page)
}

func sharePage(w http.ResponseWriter, r *http.Request, status int, page console.SharePage) {
	content, err := console.Share(page)
	if err != nil {
		failure(exchangeOf(r.Context()), err).write(w)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", console.SharePolicy)
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	writeAll(w, content)
}
