package api

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"

	"golang.org/x/time/rate"

	"parley/app/chat"
)

func (s *Server) live(x *exchange) error { return x.reply(map[string]bool{"alive": true}) }

// ready asks the store, not only itself.
func (s *Server) ready(x *exchange) error {
	if s.isDraining() {
		return restartError()
	}
	if _, err := s.Accounts.SetUp(x.r.Context(), x.visitor()); err != nil {
		return err
	}
	return x.reply(map[string]bool{"ready": true})
}

// restartError is what a server about to stop says: to each another time to come back, so that
// they do not all come at once.
func restartError() *chat.Error {
	return &chat.Error{Code: chat.CodeUnavailable, Message: "the server restarts; come back in a moment", RetryAfterMS: 200 + rand.Int64N(2_800)}
}

// newReports bounds what browsers may write to the log.
func newReports() *rate.Limiter { return rate.NewLimiter(1, 10) }

// report logs that a browser held something back because of the policy: the sign of an
// attack, or of a mistake in a page.
func (s *Server) report(x *exchange) error {
	body, err := io.ReadAll(x.r.Body)
	if err != nil {
		return chat.Errorf(chat.CodeInvalid, "the report broke off before its end")
	}
	var reports []struct {
		Type string
		Body struct{ EffectiveDirective, Disposition string }
	}
	if err := json.Unmarshal(body, &reports); err != nil {
		return chat.Errorf(chat.CodeInvalid, "this is not a report")
	}
	for _, r := range reports {
		if s.reports.Allow() {
			s.Log.Warn("reported by a browser", "type", clip(r.Type, 64), "directive", clip(r.Body.EffectiveDirective, 64))
		}
	}
	x.WriteHeader(http.StatusNoContent)
	return nil
}
