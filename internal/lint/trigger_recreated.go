package lint

var triggerRecreated = Rule{
	Name:     "trigger-recreated",
	Severity: Warning,
	What:     "DROP TRIGGER and CREATE TRIGGER of the same name on the same table in one half.",
	Why: "DROP TRIGGER takes ACCESS EXCLUSIVE, which readers wait for too. CREATE OR REPLACE TRIGGER does both in one " +
		"step that lets them read.",
	Safe: `{trigger};`,
	half: checkTriggerRecreated,
}

func checkTriggerRecreated(h *half) {
	fresh := map[string]bool{}
	gone := map[object]bool{}
	for _, s := range h.statements {
		for _, o := range removed(s.node) {
			gone[o] = true
		}
		for _, o := range created(s.node) {
			fresh[o.key()] = fresh[o.key()] || o.kind == "table"
			t := s.node.GetCreateTrigStmt()
			if o.kind != "trigger" || !gone[o] || t.Isconstraint || fresh[o.in] { // a constraint trigger cannot be replaced
				continue
			}
			replace := t.Replace
			t.Replace = true
			safe := s.deparse()
			t.Replace = replace
			s.report(0, "trigger "+QuoteIdent(o.name)+" is dropped and made again, and readers of "+display(o.in)+" wait; use CREATE OR REPLACE TRIGGER alone", "{trigger}", safe)
		}
	}
}
