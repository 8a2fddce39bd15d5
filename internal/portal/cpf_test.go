package portal_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"portaldb/internal/portal"
)

func TestMaskCPF(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                               "",
		"nothing 1234567890":             "nothing 1234567890",
		"12345678901":                    "***.***.***-**",
		"cpf=12345678901.":               "cpf=***.***.***-**.",
		"x12345678901y":                  "x***.***.***-**y",
		"123.456.789-01":                 "***.***.***-**",
		"12345678901,12345678902":        "***.***.***-**,***.***.***-**",
		"123.456.789-01123.456.789-01":   "123.456.789-01123.456.789-01",
		"123.456.789-01 123.456.789-012": "***.***.***-** 123.456.789-012",
		"123456789012":                   "123456789012",
		"0123.456.789-01":                "0123.456.789-01",
		"2026-01-31T12:00:00.123456Z":    "2026-01-31T12:00:00.123456Z",
		"ação 12345678901 ç":             "ação ***.***.***-** ç",
	} {
		if got := portal.MaskCPF(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestMaskLogAttr(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{ReplaceAttr: portal.MaskLogAttr}))
	logger.With("with", "12345678901").WithGroup("group").Error("message of 123.456.789-01",
		"error", errors.New("refused 12345678901"),
		"list", []string{"12345678901"},
		"group", slog.GroupValue(slog.String("deep", "12345678901")),
		"bytes", 12345678901)
	if strings.Contains(strings.ReplaceAll(log.String(), `"bytes":12345678901`, ""), "12345678901") || strings.Contains(log.String(), "123.456") {
		t.Errorf("a CPF is in the log: %s", &log)
	}
	if strings.Count(log.String(), "***.***.***-**") != 5 {
		t.Errorf("want five masks: %s", &log)
	}
}
