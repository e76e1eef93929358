package notify

import (
	"net/url"
	"strings"
)

// telegramAPI takes messages for Telegram.
const telegramAPI = "api.telegram.org"

// expand gives the addresses to use for one that was configured. Of Telegram
// that is the plain interface, once for each chat: the library's own service
// takes a message for delivered when the server could not be reached.
func expand(raw string) []string {
	address, err := url.Parse(raw)
	if err != nil || address.Scheme != "telegram" || address.User == nil {
		return []string{raw}
	}
	var addresses []string
	for chat := range strings.SplitSeq(telegramChats(address), ",") {
		id, thread, _ := strings.Cut(chat, ":")
		fields := url.Values{"template": {"json"}, "messagekey": {"text"}, "$chat_id": {id}}
		if thread != "" {
			fields.Set("$message_thread_id", thread)
		}
		addresses = append(addresses, "generic://"+telegramAPI+"/bot"+address.User.String()+"/sendMessage?"+fields.Encode())
	}
	return addresses
}

// telegramChats are the chats of an address; the library takes either name.
func telegramChats(address *url.URL) string {
	query := address.Query()
	return orElse(query.Get("chats"), query.Get("channels"))
}
