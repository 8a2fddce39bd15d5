// Creates a submission, changes it, finds it in the list and reads its trail: URL and token are the arguments.
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

declare const process: { argv: string[]; exit(code: number): never };

const [, , baseUrl, token] = process.argv;
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });

function expect(what: string, holds: boolean): asserts holds {
  if (!holds) {
    console.error(`not so: ${what}`);
    process.exit(1);
  }
}

const created = await client.POST("/v1/submissions", {
  body: { kind: "typescript", version: "1", actor_nome: "Ação", payload: { numero: "12/2026" } },
});
expect("created", created.response.status === 201 && created.data !== undefined);
const id: string = created.data.id;

const changed = await client.PATCH("/v1/submissions/{id}", { params: { path: { id } }, body: { status: "done", result: { ok: true } } });
expect("changed", changed.data?.status === "done");

const list = await client.GET("/v1/submissions", { params: { query: { kind: "typescript", status: ["done"], limit: 1 } } });
expect("listed", list.data?.items?.[0]?.id === id && list.data.next_cursor === null);

const trail = await client.GET("/v1/submissions/{id}/audits", { params: { path: { id } } });
expect("trail", (trail.data?.items ?? []).length === 2);

const missing = await client.GET("/v1/submissions/{id}", { params: { path: { id: "nowhere" } } });
expect("problem", missing.response.status === 404 && missing.error?.code === "not_found");
console.log("round trip");
