package portal

import "context"

type requestIDKey struct{}

// WithRequestID returns a context for what is done on behalf of a request, whose id goes into the logs of the database.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID returns the id of the request that ctx belongs to, without any CPF, or "" if there is none.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return MaskCPF(id)
}
