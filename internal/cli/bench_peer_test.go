package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"portaldb/db"
)

// bareVariable makes the test binary a server of the answers that the benchmark asks for, and of nothing else: no tokens, no
// checks, no log, net/http, pgxpool and encoding/json. Its lists ask for the given filters only.
const bareVariable = "PORTALDB_BENCH_BARE"

const (
	bareSubmissions = `SELECT id, kind, version, actor_cpf, actor_nome, actor_email, payload, status, result, error, created_at, updated_at
FROM public.submissions WHERE kind = $1 AND actor_cpf = $2 ORDER BY created_at DESC, id DESC LIMIT 51`
	bareExport = `SELECT id, at, actor_cpf, actor_nome, kind, action, meta
FROM public.automation_audits WHERE kind = $1 ORDER BY at DESC, id DESC`
	bareAudits = bareExport + ` LIMIT 51`
)

type bareSubmission struct {
	ID         string          `json:"id"`
	Kind       string          `json:"kind"`
	Version    string          `json:"version"`
	ActorCpf   *string         `json:"actor_cpf"`
	ActorNome  *string         `json:"actor_nome"`
	ActorEmail *string         `json:"actor_email"`
	Payload    json.RawMessage `json:"payload"`
	Status     string          `json:"status"`
	Result     json.RawMessage `json:"result"`
	Error      *string         `json:"error"`
	CreatedAt  time.Time       `json:"created_at"`
	UpdatedAt  time.Time       `json:"updated_at"`
}

type bareAudit struct {
	ID        int64           `json:"id"`
	At        time.Time       `json:"at"`
	ActorCpf  *string         `json:"actor_cpf"`
	ActorNome *string         `json:"actor_nome"`
	Kind      string          `json:"kind"`
	Action    string          `json:"action"`
	Meta      json.RawMessage `json:"meta"`
}

type bareList[T any] struct {
	Items      []T     `json:"items"`
	NextCursor *string `json:"next_cursor"`
}

// serveBare serves until it is killed, and says where on stdout.
func serveBare(url string) {
	ctx := context.Background()
	config, err := pgxpool.ParseConfig(url)
	fatal(err)
	config.MaxConns = 10 // as the service has
	pool, err := pgxpool.NewWithConfig(ctx, config)
	fatal(err)
	queries := db.New(pool)
	answer := func(w http.ResponseWriter, v any, err error) {
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/submissions/{id}", func(w http.ResponseWriter, r *http.Request) {
		row, err := queries.GetSubmission(r.Context(), r.PathValue("id"))
		answer(w, bareSubmission(row), err)
	})
	mux.HandleFunc("GET /v1/submissions", func(w http.ResponseWriter, r *http.Request) {
		rows, _ := pool.Query(r.Context(), bareSubmissions, r.FormValue("kind"), r.FormValue("actor_cpf"))
		items, err := pgx.CollectRows(rows, pgx.RowToStructByPos[bareSubmission])
		answer(w, bareList[bareSubmission]{Items: items[:min(50, len(items))]}, err)
	})
	mux.HandleFunc("GET /v1/audits", func(w http.ResponseWriter, r *http.Request) {
		rows, _ := pool.Query(r.Context(), bareAudits, r.FormValue("kind"))
		items, err := pgx.CollectRows(rows, pgx.RowToStructByPos[bareAudit])
		answer(w, bareList[bareAudit]{Items: items[:min(50, len(items))]}, err)
	})
	mux.HandleFunc("GET /v1/audits/export", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		out := json.NewEncoder(w)
		rows, _ := pool.Query(r.Context(), bareExport, r.FormValue("kind"))
		defer rows.Close()
		for rows.Next() {
			audit, err := pgx.RowToStructByPos[bareAudit](rows)
			if err != nil || out.Encode(audit) != nil {
				panic(http.ErrAbortHandler)
			}
		}
		if rows.Err() != nil {
			panic(http.ErrAbortHandler)
		}
	})
	mux.HandleFunc("POST /v1/submissions", func(w http.ResponseWriter, r *http.Request) {
		var in bareSubmission
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			answer(w, nil, err)
			return
		}
		row, err := queries.CreateSubmission(r.Context(), db.CreateSubmissionParams{
			ID: uuid.NewString(), Kind: in.Kind, Version: in.Version, ActorCpf: in.ActorCpf, Payload: in.Payload, Status: "queued", UniqueFields: []string{},
		})
		answer(w, bareSubmission(row), err)
	})
	mux.HandleFunc("PATCH /v1/submissions/{id}", func(w http.ResponseWriter, r *http.Request) {
		var in bareSubmission
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			answer(w, nil, err)
			return
		}
		row, err := queries.UpdateSubmission(r.Context(), db.UpdateSubmissionParams{
			ID: r.PathValue("id"), SetResult: true, Result: in.Result, FromStatuses: []string{"queued", "running", "done", "error"}, Action: "updated",
		})
		answer(w, bareSubmission(row), err)
	})
	mux.HandleFunc("POST /v1/audits", func(w http.ResponseWriter, r *http.Request) {
		var in []bareAudit
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			answer(w, nil, err)
			return
		}
		n, err := pool.CopyFrom(r.Context(), pgx.Identifier{"public", "automation_audits"}, []string{"actor_cpf", "actor_nome", "kind", "action", "meta"},
			pgx.CopyFromSlice(len(in), func(i int) ([]any, error) {
				return []any{in[i].ActorCpf, in[i].ActorNome, in[i].Kind, in[i].Action, in[i].Meta}, nil
			}))
		answer(w, map[string]int64{"created": n}, err)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	fatal(err)
	fmt.Println(listener.Addr())
	fatal(http.Serve(listener, mux))
}

func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
