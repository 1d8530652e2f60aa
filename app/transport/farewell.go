package transport

import (
	"encoding/json"

	"parley/app/chat"
)

// farewell is the error that the last event of a stream carries.
func farewell(event string, data []byte) error {
	e := &chat.Error{}
	switch err := json.Unmarshal(data, e); {
	case err == nil && e.Code != "":
		return e
	case event == "reset":
		return chat.ErrReset
	default:
		return chat.ErrUnavailable
	}
}
