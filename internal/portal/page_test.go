package portal_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"portaldb/internal/portal"
)

// TestService_Pages walks through lists by cursor while rows are added: every row that was there at the beginning comes
// once, in order, and what is added at the top does not shift anything.
func TestService_Pages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	moments := []string{"2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000001Z", "2026-01-02T00:00:00Z"}
	insert := func(kind, status string, at string) {
		b.exec(t, `INSERT INTO submissions (id, kind, version, payload, status, created_at) VALUES (gen_random_uuid()::text, $1, '1', '{}', $2, $3::text::timestamptz)`, kind, status, at)
		b.exec(t, `INSERT INTO automation_audits (kind, action, at) VALUES ($1, $2, $3::text::timestamptz)`, kind, status, at)
	}
	runs := 0
	rapid.Check(t, func(r *rapid.T) {
		runs++
		kind := fmt.Sprint("kind", runs)
		n := rapid.IntRange(0, 12).Draw(r, "rows")
		for range n {
			insert(kind, rapid.SampledFrom(portal.Statuses).Draw(r, "status"), rapid.SampledFrom(moments).Draw(r, "at"))
		}
		limit := rapid.IntRange(1, 5).Draw(r, "limit")
		statuses := rapid.SampledFrom([][]string{nil, {"queued"}, {"queued", "done"}, {"queued", "done", "error"}}).Draw(r, "statuses")
		addAtTop := rapid.Bool().Draw(r, "add")

		filter := portal.SubmissionFilter{Kind: &kind, Statuses: statuses}
		whole, err := b.service.ListSubmissions(t.Context(), filter, portal.PageRequest{Limit: portal.MaxLimit})
		if err != nil {
			r.Fatal(err)
		}
		var walked []string
		page := portal.PageRequest{Limit: limit}
		for {
			part, err := b.service.ListSubmissions(t.Context(), filter, page)
			if err != nil {
				r.Fatal(err)
			}
			for _, item := range part.Items {
				walked = append(walked, item.ID)
			}
			if len(part.Items) > limit {
				r.Fatalf("%d items, limit %d", len(part.Items), limit)
			}
			if part.NextCursor == "" {
				break
			}
			if len(part.Items) == 0 {
				r.Fatal("an empty page has a next one")
			}
			// The cursor alone goes on: it carries the filter and the limit.
			filter, page = portal.SubmissionFilter{}, portal.PageRequest{Cursor: part.NextCursor}
			if addAtTop {
				insert(kind, "queued", "2026-02-01T00:00:00Z")
			}
		}
		if len(walked) != len(whole.Items) {
			r.Fatalf("walked over %d submissions, want %d", len(walked), len(whole.Items))
		}
		for i, item := range whole.Items {
			if walked[i] != item.ID {
				r.Fatalf("submission %d is %s, want %s", i, walked[i], item.ID)
			}
		}

		audits := portal.AuditFilter{Kind: &kind}
		wholeTrail, err := b.service.ListAudits(t.Context(), audits, portal.PageRequest{Limit: portal.MaxLimit})
		if err != nil {
			r.Fatal(err)
		}
		var trail []int64
		page = portal.PageRequest{Limit: limit}
		for {
			part, err := b.service.ListAudits(t.Context(), audits, page)
			if err != nil {
				r.Fatal(err)
			}
			for _, item := range part.Items {
				trail = append(trail, item.ID)
			}
			if part.NextCursor == "" {
				break
			}
			page = portal.PageRequest{Cursor: part.NextCursor}
		}
		if len(trail) != len(wholeTrail.Items) {
			r.Fatalf("walked over %d events, want %d", len(trail), len(wholeTrail.Items))
		}
		for i, item := range wholeTrail.Items {
			if trail[i] != item.ID {
				r.Fatalf("event %d is %d, want %d", i, trail[i], item.ID)
			}
		}
	})
}

func TestService_PageRequest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 7 {
		b.create(t)
	}
	list := func(filter portal.SubmissionFilter, page portal.PageRequest) (portal.Page[portal.Submission], error) {
		return b.service.ListSubmissions(t.Context(), filter, page)
	}
	dfd := portal.SubmissionFilter{Kind: ptr("dfd"), Statuses: []string{"done", "queued"}, Since: ptr(time.Now().Add(-time.Hour))}
	first, err := list(dfd, portal.PageRequest{Limit: 2})
	if err != nil || len(first.Items) != 2 || first.NextCursor == "" {
		t.Fatalf("%d items, cursor %q, %v", len(first.Items), first.NextCursor, err)
	}
	cursor := first.NextCursor

	for name, page := range map[string]portal.PageRequest{
		"negative limit":    {Limit: -1},
		"huge limit":        {Limit: portal.MaxLimit + 1},
		"negative offset":   {Offset: -1},
		"huge offset":       {Offset: portal.MaxOffset + 1},
		"cursor and offset": {Cursor: cursor, Offset: 1},
		"broken cursor":     {Cursor: cursor[1:]},
		"longer cursor":     {Cursor: cursor + "AA"},
		"not a cursor":      {Cursor: "%"},
		"empty object":      {Cursor: base64.RawURLEncoding.EncodeToString([]byte("{}"))},
		"cursor of audits":  {Cursor: portal.AuditCursor(portal.AuditFilter{}, time.Now(), "1")},
		"huge time":         {Cursor: base64.RawURLEncoding.EncodeToString([]byte(`{"list":"submissions","filter":{},"limit":50,"at":9223372036854775807,"id":"x"}`))},
		"huge limit inside": {Cursor: base64.RawURLEncoding.EncodeToString([]byte(`{"list":"submissions","filter":{},"limit":5000,"at":0,"id":"x"}`))},
		"status inside":     {Cursor: base64.RawURLEncoding.EncodeToString([]byte(`{"list":"submissions","filter":{"status":["gone"]},"limit":50,"at":0,"id":"x"}`))},
		"U+0000 inside":     {Cursor: base64.RawURLEncoding.EncodeToString([]byte(`{"list":"submissions","filter":{},"limit":50,"at":0,"id":"\u0000"}`))},
	} {
		_, err := list(portal.SubmissionFilter{}, page)
		if portal.ErrorCode(err) != portal.CodeInvalid {
			t.Errorf("%s: error %v, want one of code invalid", name, err)
		}
	}

	if page, err := list(dfd, portal.PageRequest{Cursor: cursor, Limit: 4}); err != nil || len(page.Items) != 4 {
		t.Errorf("cursor, the same filters and another limit: %d items, %v", len(page.Items), err)
	}
	if page, err := list(portal.SubmissionFilter{Kind: ptr("dfd")}, portal.PageRequest{Cursor: cursor}); err != nil || len(page.Items) != 2 {
		t.Errorf("cursor and one of its filters: %d items, %v", len(page.Items), err)
	}
	for _, other := range []portal.SubmissionFilter{
		{Kind: ptr("etp")},
		{Kind: ptr("dfd"), ActorCPF: ptr("")},
		{Statuses: []string{"queued"}},
		{Since: ptr(time.Now())},
	} {
		_, err := list(other, portal.PageRequest{Cursor: cursor})
		wantCode(t, err, portal.CodeInvalid)
	}

	if page, err := list(portal.SubmissionFilter{}, portal.PageRequest{Offset: 6}); err != nil || len(page.Items) != 1 || page.NextCursor != "" {
		t.Errorf("offset 6 of 7: %d items, cursor %q, %v", len(page.Items), page.NextCursor, err)
	}
	if page, err := list(portal.SubmissionFilter{Statuses: []string{"queued", "done"}}, portal.PageRequest{Offset: 3, Limit: 3}); err != nil || len(page.Items) != 3 || page.NextCursor == "" {
		t.Errorf("offset 3, limit 3 of 7: %d items, cursor %q, %v", len(page.Items), page.NextCursor, err)
	}

	_, err = b.service.ListAudits(t.Context(), portal.AuditFilter{}, portal.PageRequest{Cursor: portal.AuditCursor(portal.AuditFilter{}, time.Now(), "x")})
	wantCode(t, err, portal.CodeInvalid)
}

// FuzzCursor proves that whatever is taken for a cursor says the same again, and nothing else is taken.
func FuzzCursor(f *testing.F) {
	f.Add(portal.SubmissionCursor(portal.SubmissionFilter{}, time.Unix(0, 0), "x"))
	f.Add(portal.SubmissionCursor(portal.SubmissionFilter{Kind: ptr("<é>"), Statuses: []string{"done"}, Payload: json.RawMessage(`{"a": ["<"]}`), Since: ptr(time.Now())}, time.Now(), "x"))
	f.Add(portal.AuditCursor(portal.AuditFilter{}, time.Now(), "1"))
	f.Add("")
	f.Add("e30")
	f.Fuzz(func(t *testing.T, text string) {
		again, ok := portal.Recode(text)
		if ok && again != text {
			t.Errorf("%q becomes %q", text, again)
		}
	})
}

// TestCursor_Tampered changes single characters of a cursor: none of them brings anything but a refusal or a list.
func TestCursor_Tampered(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.create(t)
	cursor := portal.SubmissionCursor(portal.SubmissionFilter{Kind: ptr("dfd"), Payload: json.RawMessage(`{}`)}, time.Now(), "x")
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range cursor {
		tampered := []byte(cursor)
		tampered[i] = alphabet[rand.IntN(len(alphabet))]
		_, err := b.service.ListSubmissions(t.Context(), portal.SubmissionFilter{}, portal.PageRequest{Cursor: string(tampered)})
		if err != nil && portal.ErrorCode(err) != portal.CodeInvalid {
			t.Errorf("%s: error %v, want one of code invalid", tampered, err)
		}
	}
}
