package portal

import (
	"log/slog"
	"strings"
)

// maskedCPF stands for a CPF in logs.
const maskedCPF = "***.***.***-**"

// MaskCPF replaces every CPF in the text, written as eleven digits or as 000.000.000-00. What only looks like one is
// replaced as well.
func MaskCPF(text string) string {
	var masked strings.Builder
	done := 0
	for i := 0; i < len(text); {
		if !isDigit(text[i]) {
			i++
			continue
		}
		end := cpfEnd(text[i:])
		if end > 0 {
			masked.WriteString(text[done:i])
			masked.WriteString(maskedCPF)
			done = i + end
			i = done
			continue
		}
		for i < len(text) && isDigit(text[i]) {
			i++
		}
	}
	if done == 0 {
		return text
	}
	masked.WriteString(text[done:])
	return masked.String()
}

// cpfEnd returns the length of the CPF that text begins with, or 0. Its first byte must be the first of its run of
// digits.
func cpfEnd(text string) int {
	for _, form := range [...]string{"00000000000", "000.000.000-00"} {
		if matches(text, form) && (len(text) == len(form) || !isDigit(text[len(form)])) {
			return len(form)
		}
	}
	return 0
}

// matches says whether text begins with form, in which 0 stands for any digit.
func matches(text, form string) bool {
	if len(text) < len(form) {
		return false
	}
	for i := range len(form) {
		if form[i] == '0' && !isDigit(text[i]) || form[i] != '0' && text[i] != form[i] {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// MaskLogAttr is for the ReplaceAttr of slog.HandlerOptions: it replaces every CPF in messages, texts, errors and
// whatever else is not a plain number or time.
func MaskLogAttr(_ []string, attr slog.Attr) slog.Attr {
	switch attr.Value.Kind() {
	case slog.KindString:
		attr.Value = slog.StringValue(MaskCPF(attr.Value.String()))
	case slog.KindAny:
		if text := attr.Value.String(); MaskCPF(text) != text {
			attr.Value = slog.StringValue(MaskCPF(text))
		}
	}
	return attr
}
