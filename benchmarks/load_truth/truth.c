/* An HTTP/1.1 server of known truth: streams of server-sent events whose times are set per request, logged as they are
 * written. One thread, one epoll, one timer; shares nothing with the clients that are measured against it.
 *
 *     truth [key=value ...]       prints {"port":..,"refused":..,"deaf":..}; ends when its standard input does
 *
 * A request is answered as the keys say that were given at the start, by /truth/set?key=value&..., in the header
 * `x-truth: key=value&...` or after a `?` in the name of the model, the later ones first. Times are microseconds:
 *     ttft jitter itl       token k is due at ttft + (0..jitter) + k * itl after the request is complete, whatever
 *                           became of those before
 *     tokens per batch      tokens of an answer (else max_tokens, else 64), tokens in an event, events in a write
 *     late retry_after      how long [DONE] comes after the last token; seconds of the header Retry-After
 *     behaviour             what happens to it; several with commas between are taken in turn
 * A request has arrived with its first bytes and is complete with its last; both are the kernel's times of receiving
 * (SO_TIMESTAMPNS). Nothing listens on the port `refused`; on the port `deaf` connecting never ends.
 *     GET /truth/log[?clear=1]  JSON lines, one for each request; GET /truth/freeze?ms=2000 stops the whole server.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NAME 64          /* longest name that is kept */
#define KINDS 512        /* longest list of behaviours */
#define PATIENCE 1000000 /* ns between the two parts of an event that is written in two */
#define MOST 65536       /* bytes of one write, and of one read */

typedef int64_t ns;

enum phase { IDLE, OPENING, TOKENS, REST, COMMENT, TAIL, WHOLE, NEVER };

struct how {
    long ttft, jitter, itl, tokens, per, batch, late, retry_after;
    char behaviour[KINDS];
};

struct request {
    int number, connection, status, prompt, asked, tokens, writes, room, blocked;
    ns accepted, arrived, complete, ended;
    ns *at;
    char id[NAME], class[NAME], model[NAME], path[NAME], behaviour[NAME];
    const char *end;
};

struct connection {
    int fd, number, place; /* place in the heap, -1 while not in it */
    enum phase phase;
    ns due, accepted, arrived, complete;
    char *in, *out;
    size_t got, room, pending, out_room;
    struct request *request;
    struct how how;
    int total, usage, chat, framed, again;
    char rest[MOST];
    size_t rest_length;
};

static struct how defaults = {50000, 10000, 10000, 0, 1, 1, 0, 1, "ok"};
static struct request **requests;
static struct connection **heap;
static int count, counted, first_kept, turn, connections, heaped, heap_room, epoll, timer, listener;
static ns armed;

static void *need(void *memory) {
    if (!memory) abort();
    return memory;
}

static ns now(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t); /* the clock of the kernel's times */
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* --- what is due next: a binary heap of connections by due time, and one timer for its top --- */

static void put_at(int place, struct connection *c) { (heap[place] = c)->place = place; }

static void sift(int place) {
    struct connection *c = heap[place];
    for (int up; place && heap[up = (place - 1) / 2]->due > c->due; place = up) put_at(place, heap[up]);
    for (int down; (down = 2 * place + 1) < heaped; place = down) {
        if (down + 1 < heaped && heap[down + 1]->due < heap[down]->due) down++;
        if (heap[down]->due >= c->due) break;
        put_at(place, heap[down]);
    }
    put_at(place, c);
}

static void forget(struct connection *c) {
    int place = c->place;
    if (place < 0) return;
    c->place = -1;
    if (place != --heaped) {
        put_at(place, heap[heaped]);
        sift(place);
    }
}

static void wake(struct connection *c, ns due, enum phase phase) {
    c->due = due;
    c->phase = phase;
    if (c->place < 0) {
        if (heaped == heap_room) heap = need(realloc(heap, (heap_room = 2 * heap_room + 64) * sizeof *heap));
        c->place = heaped++;
        heap[c->place] = c;
    }
    sift(c->place);
}

static void arm(void) {
    ns due = heaped ? heap[0]->due : 0;
    if (due == armed) return;
    struct itimerspec when = {.it_value = {due / 1000000000, due % 1000000000}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
    armed = due;
}

/* --- connections --- */

static void ended(struct connection *c, const char *how) {
    if (c->request && !c->request->ended) {
        c->request->ended = now();
        c->request->end = how;
    }
    c->request = NULL;
}

static void shut(struct connection *c, const char *how) {
    ended(c, how);
    forget(c);
    close(c->fd);
    free(c->in);
    free(c->out);
    free(c);
}

static void abort_connection(struct connection *c, const char *how) {
    struct linger linger = {1, 0}; /* close() sends RST */
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    shut(c, how);
}

static void watch(struct connection *c, uint32_t what, int operation) {
    struct epoll_event event = {what, {.ptr = c}};
    epoll_ctl(epoll, operation, c->fd, &event);
}

/* Give bytes to the kernel; what it does not take waits, and the request is marked as blocked by its client. */
static void send_bytes(struct connection *c, const char *bytes, size_t length) {
    ssize_t sent = c->pending ? 0 : send(c->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) sent = 0; /* a client that has gone is found out by the next read */
    if ((size_t)sent == length) return;
    length -= sent;
    if (c->pending + length > c->out_room)
        c->out = need(realloc(c->out, c->out_room = 2 * (c->pending + length)));
    memcpy(c->out + c->pending, bytes + sent, length);
    if (!c->pending) watch(c, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
    c->pending += length;
    if (c->request) c->request->blocked++;
}

static void flush(struct connection *c) {
    ssize_t sent = send(c->fd, c->out, c->pending, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0) return;
    memmove(c->out, c->out + sent, c->pending -= sent);
    if (c->pending) return;
    watch(c, EPOLLIN, EPOLL_CTL_MOD);
    if (c->phase == NEVER && !c->request) shutdown(c->fd, SHUT_WR);
}

/* --- what is said --- */

static size_t frame(struct connection *c, char *to, const char *text, size_t length) {
    if (!c->framed) return memcpy(to, text, length), length;
    size_t head = sprintf(to, "%zx\r\n", length);
    memcpy(to + head, text, length);
    memcpy(to + head + length, "\r\n", 2);
    return head + length + 2;
}

static int is(struct connection *c, const char *behaviour) { return !strcmp(c->request->behaviour, behaviour); }

static const char *blank(struct connection *c) { return is(c, "crlf") ? "\r\n\r\n" : "\n\n"; }

static void say(struct connection *c, const char *text, size_t length) {
    char framed[MOST + 64];
    send_bytes(c, framed, frame(c, framed, text, length));
}

/* One event whose choice is `inner`; for answers of completions as for those of chats. */
static size_t chunk(struct connection *c, char *to, const char *inner) {
    return sprintf(to,
                   "data: {\"id\":\"%s-%08d\",\"object\":\"%s\",\"created\":1764000000,\"model\":\"%s\",\"choices\":["
                   "{\"index\":0,%s}]}%s",
                   c->chat ? "chatcmpl" : "cmpl", c->request->number,
                   c->chat ? "chat.completion.chunk" : "text_completion", c->request->model, inner, blank(c));
}

static size_t token_event(struct connection *c, char *to, int tokens) {
    char text[4096] = "", inner[4200];
    const char *word = is(c, "split") ? " w\xc3\xb6rd\xe6\xbc\xa2" : " word", *key = "content";
    if (is(c, "reasoning") && c->request->tokens < c->total / 2) key = "reasoning_content";
    for (int i = 0; i < tokens && i < 256; i++) strcat(text, word);
    if (c->chat)
        sprintf(inner, "\"delta\":{\"%s\":\"%s\"},\"logprobs\":null,\"finish_reason\":null", key, text);
    else
        sprintf(inner, "\"text\":\"%s\",\"logprobs\":null,\"finish_reason\":null", text);
    return chunk(c, to, inner);
}

static void log_write(struct request *r, ns at) {
    if (r->writes == r->room) r->at = need(realloc(r->at, (r->room = 2 * r->room + 16) * sizeof *r->at));
    r->at[r->writes++] = at;
}

static void whole(struct connection *c) {
    ended(c, "whole");
    c->phase = c->again && c->framed ? IDLE : NEVER;
    if (c->phase == NEVER && !c->pending) shutdown(c->fd, SHUT_WR);
}

static void terminate(struct connection *c) {
    if (c->framed) send_bytes(c, "0\r\n\r\n", 5);
    whole(c);
}

/* Finish reason, usage and [DONE], as far as this behaviour has them, in one write. */
static void tail(struct connection *c) {
    char text[4096];
    size_t length = 0;
    int done_apart = c->how.late > 0 && c->phase != TAIL;
    if (c->phase != TAIL) {
        if (!is(c, "no_finish"))
            length += chunk(c, text,
                            c->chat ? "\"delta\":{},\"logprobs\":null,\"finish_reason\":\"length\""
                                    : "\"text\":\"\",\"logprobs\":null,\"finish_reason\":\"length\"");
        if (c->usage)
            length += sprintf(text + length,
                              "data: {\"id\":\"u-%d\",\"choices\":[],\"usage\":{\"prompt_tokens\":%d,"
                              "\"completion_tokens\":%d,\"total_tokens\":%d}}%s",
                              c->request->number, c->request->prompt, c->request->tokens,
                              c->request->prompt + c->request->tokens, blank(c));
    }
    if (done_apart) {
        if (length) say(c, text, length);
        return wake(c, c->due + c->how.late * 1000, TAIL);
    }
    if (!is(c, "no_done")) length += sprintf(text + length, "data: [DONE]%s", blank(c));
    if (length) say(c, text, length);
    terminate(c);
}

/* What goes wrong half way; whether the stream is over, or the connection gone. */
static int half_way(struct connection *c) {
    const char *error = "data: {\"error\":{\"message\":\"EngineCore encountered an issue\",\"type\":"
                        "\"InternalServerError\",\"code\":500}}\n\n";
    if (is(c, "error")) {
        say(c, error, strlen(error));
        say(c, "data: [DONE]\n\n", 14);
        return terminate(c), 1;
    }
    if (is(c, "early")) return terminate(c), 1;
    if (is(c, "cut")) return shut(c, "server"), 1;
    if (is(c, "reset")) return abort_connection(c, "server"), 1;
    if (is(c, "gap")) return c->phase = NEVER, 1;
    if (is(c, "not_json")) say(c, "data: {not json\n\n", 17);
    return 0;
}

static void write_tokens(struct connection *c) {
    char text[MOST];
    size_t length = 0;
    struct request *r = c->request;
    for (int i = 0; i < c->how.batch && r->tokens < c->total && length < MOST / 2; i++) {
        int tokens = c->total - r->tokens < c->how.per ? c->total - r->tokens : c->how.per;
        length += token_event(c, text + length, tokens);
        r->tokens += tokens;
    }
    if (is(c, "split")) { /* inside the first character of several bytes */
        char framed[MOST + 64];
        size_t all = frame(c, framed, text, length), cut = strchr(framed, '\xc3') + 1 - framed;
        send_bytes(c, framed, cut);
        memcpy(c->rest, framed + cut, c->rest_length = all - cut);
        return wake(c, c->due + PATIENCE, REST);
    }
    log_write(r, now());
    say(c, text, length);
}

/* After a write of tokens that was due at `due`: what comes next, and when. */
static void next(struct connection *c, ns due) {
    struct request *r = c->request;
    int step = c->how.per * c->how.batch, half = c->total / 2;
    if (r->tokens >= half && r->tokens - step < half && half_way(c)) return;
    if (r->tokens >= c->total && !is(c, "endless")) {
        c->due = due;
        return tail(c);
    }
    if (is(c, "endless")) c->total = r->tokens + step;
    if (is(c, "comments")) return wake(c, due + c->how.itl * 500, COMMENT);
    wake(c, due + c->how.itl * 1000, TOKENS);
}

static void opening(struct connection *c) {
    char text[4096];
    size_t length = 0;
    if (is(c, "role"))
        length = chunk(c, text, "\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null");
    if (is(c, "preamble"))
        length = sprintf(text, "data: {\"id\":\"\",\"object\":\"\",\"created\":0,\"model\":\"\",\"choices\":[],"
                               "\"prompt_filter_results\":[{\"prompt_index\":0,\"content_filter_results\":"
                               "{\"hate\":{\"filtered\":false,\"severity\":\"safe\"}}}]}\n\n");
    if (is(c, "comments")) length = sprintf(text, ": keep-alive\n\n");
    if (length) say(c, text, length);
}

static void tick(struct connection *c) {
    switch (c->phase) {
    case TOKENS:
        write_tokens(c);
        if (c->phase == TOKENS) next(c, c->due);
        return;
    case REST:
        log_write(c->request, now());
        send_bytes(c, c->rest, c->rest_length);
        return next(c, c->due - PATIENCE);
    case COMMENT:
        say(c, ": keep-alive\n\n", 14);
        return wake(c, c->due + c->how.itl * 500, TOKENS);
    case TAIL:
        return tail(c);
    case WHOLE: {
        char *answer = c->rest; /* made when it was asked for */
        log_write(c->request, now());
        c->request->tokens = c->total;
        send_bytes(c, answer, c->rest_length);
        return whole(c);
    }
    default:
        return;
    }
}

/* --- what is asked --- */

static void set_key(struct how *how, const char *key, const char *value) {
    struct { const char *key; long *to; } known[] = {
        {"ttft", &how->ttft}, {"jitter", &how->jitter}, {"itl", &how->itl}, {"tokens", &how->tokens},
        {"per", &how->per}, {"batch", &how->batch}, {"late", &how->late}, {"retry_after", &how->retry_after},
    };
    if (!strcmp(key, "behaviour")) snprintf(how->behaviour, sizeof how->behaviour, "%s", value);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(key, known[i].key)) *known[i].to = atol(value);
}

static void set_keys(struct how *how, const char *text) {
    char copy[2 * KINDS], *place = NULL;
    snprintf(copy, sizeof copy, "%.*s", (int)strcspn(text, " \r\n\""), text);
    for (char *one = strtok_r(copy, "&", &place); one; one = strtok_r(NULL, "&", &place)) {
        char *value = strchr(one, '=');
        if (value) *value = 0, set_key(how, one, value + 1);
    }
}

static void take_name(char *to, const char *from, const char *end) {
    int length = 0;
    while (length < NAME - 1 && from[length] && !strchr(end, from[length]) &&
           (isalnum((unsigned char)from[length]) || strchr("-_.:/?=&,", from[length])))
        to[length] = from[length], length++;
    to[length] = 0;
}

static const char *header(const char *head, const char *name) {
    char wanted[NAME];
    snprintf(wanted, sizeof wanted, "\r\n%s:", name);
    const char *found = strcasestr(head, wanted);
    if (!found) return NULL;
    found += strlen(wanted);
    return found + strspn(found, " \t");
}

/* The value after `"key":`, or nothing. */
static const char *field(const char *body, const char *key) {
    char wanted[NAME];
    snprintf(wanted, sizeof wanted, "\"%s\"", key);
    for (const char *at = body; (at = strstr(at, wanted)); at++) {
        const char *value = at + strlen(wanted);
        value += strspn(value, " \t\r\n");
        if (*value == ':') return value + 1 + strspn(value + 1, " \t\r\n");
    }
    return NULL;
}

/* Words of all strings that follow `"key":`, or stand in the array that follows it. */
static int words(const char *body, const char *key) {
    int total = 0;
    for (const char *at = body; (at = field(at, key));) {
        int many = *at == '[';
        at += many;
        for (at += strspn(at, " ,"); *at == '"'; at += strspn(at, " ,")) {
            for (int inside = 0, space; *++at && *at != '"'; inside = !space) {
                space = *at == ' ';
                if (*at == '\\') {
                    if (!*++at) break;
                    space = *at == 'n' || *at == 'r' || *at == 't';
                }
                total += !space && !inside;
            }
            at += *at == '"';
            if (!many) break;
        }
    }
    return total;
}

static int says(const char *body, const char *key) {
    const char *value = field(body, key);
    return value && !strncmp(value, "true", 4);
}

static long number_of(const char *body, const char *key) {
    const char *value = field(body, key);
    return value && isdigit((unsigned char)*value) ? atol(value) : 0;
}

/* The behaviour whose turn it is. */
static void choose(struct request *r, const char *list) {
    int length = 1;
    for (const char *at = list; *at; at++) length += *at == ',';
    if (length > 1)
        for (int skip = turn++ % length; skip; skip--) list = strchr(list, ',') + 1;
    take_name(r->behaviour, list, ",");
}

/* Equally spread and the same in every run: a hash of the number (splitmix64). */
static uint64_t hashed(uint64_t x) {
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

static int seen_before(struct request *r) {
    for (int i = count - 2; i >= first_kept && r->id[0]; i--)
        if (!strcmp(requests[i]->id, r->id)) return 1;
    return 0;
}

static struct request *note(struct connection *c, const char *head, const char *body) {
    if (count == counted) requests = need(realloc(requests, (counted = 2 * counted + 256) * sizeof *requests));
    struct request *r = requests[count] = need(calloc(1, sizeof *r));
    const char *id = header(head, "x-request-id"), *class = header(head, "x-ops-class"), *model = field(body, "model");
    r->number = count++;
    r->connection = c->number;
    r->accepted = c->accepted;
    r->arrived = c->arrived;
    r->complete = c->complete;
    if (id) take_name(r->id, id, "\r");
    if (class) take_name(r->class, class, "\r");
    if (model && *model == '"') take_name(r->model, model + 1, "\"");
    take_name(r->path, strchr(head, ' ') + 1, " ");
    r->prompt = words(body, "content") + words(body, "prompt") + words(body, "input") + words(body, "text");
    r->asked = number_of(body, "max_tokens") ?: number_of(body, "max_completion_tokens");
    return r;
}

static void simple(struct connection *c, int status, const char *extra, const char *body) {
    char text[1024];
    size_t length = sprintf(text,
                            "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n%s",
                            status, status < 400 ? "OK" : "No", extra, strlen(body), body);
    if (c->request) c->request->status = status;
    c->framed = 1;
    send_bytes(c, text, length);
    whole(c);
}

static void refuse(struct connection *c, int status) {
    char extra[NAME] = "";
    if (status == 429) sprintf(extra, "Retry-After: %ld\r\n", c->how.retry_after);
    simple(c, status, extra, "{\"error\":{\"message\":\"no\",\"type\":\"truth\"}}");
}

static void begin_stream(struct connection *c, ns first) {
    const char *head = c->framed ? "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
                                   "x-ops-arm: stable\r\nx-ops-release: truth\r\nTransfer-Encoding: chunked\r\n\r\n"
                                 : "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
                                   "x-ops-arm: stable\r\nx-ops-release: truth\r\nConnection: close\r\n\r\n";
    c->request->status = 200;
    send_bytes(c, head, strlen(head));
    if (is(c, "hang_headers")) return (void)(c->phase = NEVER);
    opening(c);
    wake(c, first, TOKENS);
}

/* An answer in one piece: embeddings, moderations, and texts that are not streamed. */
static void begin_whole(struct connection *c, ns first) {
    char body[MOST / 2], usage[256];
    size_t length = 0;
    int embeddings = !!strstr(c->request->path, "/embeddings");
    sprintf(usage, "\"usage\":{\"prompt_tokens\":%d,\"completion_tokens\":%d,\"total_tokens\":%d}", c->request->prompt,
            c->total, c->request->prompt + c->total);
    if (embeddings)
        length = sprintf(body, "{\"object\":\"list\",\"model\":\"%s\",\"data\":[{\"object\":\"embedding\",\"index\":0,"
                               "\"embedding\":[0.25,-0.5,0.125]}],%s}", c->request->model, usage);
    else if (!c->total)
        length = sprintf(body, "{\"id\":\"m\",\"model\":\"%s\",\"results\":[{\"flagged\":false}]}", c->request->model);
    else
        length = sprintf(body, "{\"id\":\"c\",\"object\":\"%s\",\"model\":\"%s\",\"choices\":[{\"index\":0,%s"
                               "\"finish_reason\":\"length\"}],%s}", c->chat ? "chat.completion" : "text_completion",
                         c->request->model, c->chat ? "\"message\":{\"role\":\"assistant\",\"content\":\"word\"},"
                                                    : "\"text\":\"word\",", usage);
    if (is(c, "not_json")) length = sprintf(body, "{not json");
    c->request->status = 200;
    c->rest_length = sprintf(c->rest, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-ops-arm: stable\r\n"
                                      "x-ops-release: truth\r\nContent-Length: %zu\r\n\r\n%s", length, body);
    wake(c, first + (c->total > 1 ? (c->total - 1) * c->how.itl * 1000 : 0), WHOLE);
}

static void answer(struct connection *c, const char *head, const char *body) {
    struct request *r = c->request = note(c, head, body);
    const char *asked = header(head, "x-truth"), *model = strchr(r->model, '?'), *close_ = header(head, "connection");
    c->how = defaults;
    if (model) set_keys(&c->how, model + 1);
    if (asked) set_keys(&c->how, asked);
    choose(r, c->how.behaviour);
    if (c->how.per < 1 || c->how.per > 256) c->how.per = 1;
    if (c->how.batch < 1) c->how.batch = 1;
    if (is(c, "several") && c->how.per == 1) c->how.per = 4;
    if (is(c, "batched") && c->how.batch == 1) c->how.batch = 4;
    if (is(c, "late_done") && !c->how.late) c->how.late = 500000;
    c->total = strstr(r->path, "/moderations") || strstr(r->path, "/embeddings") ? 0 : c->how.tokens ?: r->asked ?: 64;
    c->usage = says(body, "include_usage") && !is(c, "no_usage");
    c->chat = !!strstr(r->path, "/chat/");
    c->framed = !is(c, "unframed");
    c->again = !(close_ && !strncasecmp(close_, "close", 5));
    ns first = r->complete + 1000 * (c->how.ttft + (c->how.jitter ? hashed(r->number) % c->how.jitter : 0));
    if (is(c, "429_once")) return seen_before(r) ? begin_stream(c, first) : refuse(c, 429);
    if (isdigit((unsigned char)r->behaviour[0])) return refuse(c, atoi(r->behaviour));
    if (is(c, "hang_up")) return shut(c, "server");
    if (is(c, "not_stream")) return simple(c, 200, "", "{}");
    if (is(c, "not_http")) return send_bytes(c, "NOPE\r\n\r\n", 8), shut(c, "server");
    if (is(c, "hang")) return (void)(c->phase = NEVER);
    if (says(body, "stream")) return begin_stream(c, first);
    begin_whole(c, first);
}

/* --- for whoever measures --- */

static void write_log(FILE *to) {
    for (int i = first_kept; i < count; i++) {
        struct request *r = requests[i];
        fprintf(to,
                "{\"number\":%d,\"id\":\"%s\",\"traffic\":\"%s\",\"model\":\"%s\",\"path\":\"%s\",\"behaviour\":\"%s\","
                "\"status\":%d,\"connection\":%d,\"prompt\":%d,\"asked\":%d,\"tokens\":%d,\"blocked\":%d,"
                "\"accepted\":%lld,\"arrived\":%lld,\"complete\":%lld,\"ended\":%lld,\"end\":\"%s\",\"writes\":[",
                r->number, r->id, r->class, r->model, r->path, r->behaviour, r->status, r->connection, r->prompt,
                r->asked, r->tokens, r->blocked, (long long)r->accepted, (long long)r->arrived, (long long)r->complete, (long long)r->ended,
                r->end ? r->end : "open");
        for (int k = 0; k < r->writes; k++)
            fprintf(to, k ? ",%lld" : "%lld", (long long)(r->at[k] - (k ? r->at[k - 1] : r->arrived)));
        fprintf(to, "]}\n");
    }
}

static void send_log(struct connection *c, int clear) {
    int fd = dup(c->fd);
    FILE *to = fdopen(fd, "w");
    struct timeval long_enough = {60, 0};
    if (!to) return shut(c, "server");
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &long_enough, sizeof long_enough);
    fprintf(to, "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n\r\n");
    write_log(to);
    fclose(to);
    for (; clear && first_kept < count; first_kept++)
        if (requests[first_kept]->ended) {
            free(requests[first_kept]->at);
            free(requests[first_kept]);
        }
    shut(c, "server");
}

static void control(struct connection *c, const char *head) {
    const char *asked = strchr(head, '?');
    if (!strncmp(head, "GET /truth/log", 14)) return send_log(c, asked && !strncmp(asked, "?clear=1", 8));
    if (!strncmp(head, "GET /truth/set?", 15)) {
        turn = 0;
        set_keys(&defaults, asked + 1);
        return simple(c, 200, "", "{}");
    }
    if (!strncmp(head, "GET /truth/freeze?ms=", 21)) {
        long ms = atol(asked + 4);
        struct timespec t = {ms / 1000, ms % 1000 * 1000000};
        simple(c, 200, "", "{}");
        nanosleep(&t, NULL);
        return;
    }
    if (!strncmp(head, "GET /v1/models", 14))
        return simple(c, 200, "", "{\"object\":\"list\",\"data\":[{\"id\":\"m\",\"object\":\"model\",\"created\":1,"
                                  "\"owned_by\":\"truth\"}]}");
    simple(c, strncmp(head, "GET /health", 11) ? 404 : 200, "", "{}");
}

/* One whole request at the front of what was read; how many bytes it has, 0 while it is not whole. */
static size_t request_in(struct connection *c, char **body) {
    c->in[c->got] = 0;
    char *end = strstr(c->in, "\r\n\r\n");
    if (!end) return 0;
    end[2] = 0; /* so that headers are not looked for in the body */
    const char *length = header(c->in, "content-length");
    size_t size = end + 4 - c->in + (length ? strtoul(length, NULL, 10) : 0);
    *body = end + 4;
    if (c->got < size) end[2] = '\r';
    return c->got < size ? 0 : size;
}

/* What was read may be a request; more than one waits until the first is answered. */
static void hear(struct connection *c) {
    char *body;
    size_t size;
    if (c->phase != IDLE || !c->got || !(size = request_in(c, &body))) return;
    char *copy = need(malloc(size + 1)), kept = c->in[size];
    c->in[size] = 0;
    memcpy(copy, c->in, size);
    copy[size] = 0;
    body = copy + (body - c->in);
    c->in[size] = kept;
    memmove(c->in, c->in + size, c->got -= size);
    c->again = 1;
    if (strncmp(copy, "POST ", 5)) control(c, copy);
    else answer(c, copy, body);
    free(copy);
}

static void read_from(struct connection *c) {
    char space[256];
    if (c->room - c->got < MOST + 1) c->in = need(realloc(c->in, c->room = 2 * c->room + MOST + 1));
    struct iovec piece = {c->in + c->got, MOST};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    ssize_t length = recvmsg(c->fd, &message, MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (length <= 0) return shut(c, "client");
    ns at = now();
    for (struct cmsghdr *one = CMSG_FIRSTHDR(&message); one; one = CMSG_NXTHDR(&message, one))
        if (one->cmsg_level == SOL_SOCKET && one->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec t;
            memcpy(&t, CMSG_DATA(one), sizeof t);
            at = t.tv_sec * 1000000000LL + t.tv_nsec;
        }
    if (!c->got) c->arrived = at;
    c->complete = at;
    c->got += length;
    hear(c);
}

static void accept_all(void) {
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        struct connection *c = need(calloc(1, sizeof *c));
        c->fd = fd;
        c->number = connections++;
        c->place = -1;
        c->accepted = now();
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
        watch(c, EPOLLIN, EPOLL_CTL_ADD);
    }
}

/* A socket on a free loopback port that listens with a queue of `backlog`; below 0: that does not listen. */
static int bound(int backlog, int *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on); /* those it accepts have it from their first byte */
    if (bind(fd, (struct sockaddr *)&address, sizeof address)) abort();
    getsockname(fd, (struct sockaddr *)&address, &size);
    *port = ntohs(address.sin_port);
    if (backlog >= 0) listen(fd, backlog);
    return fd;
}

/* A queue that is full: the kernel does not answer who wants to connect. */
static void fill(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_port = htons(port)};
    for (int i = 0; i < 4; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        connect(fd, (struct sockaddr *)&address, sizeof address);
    }
}

static void serve(void) {
    struct epoll_event events[256];
    for (;;) {
        arm();
        int ready = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            char ignored[4096];
            if (c == (void *)&listener) accept_all();
            else if (c == (void *)&timer) (void)!read(timer, ignored, 8), armed = 0;
            else if (c == (void *)&epoll) {
                if (read(0, ignored, sizeof ignored) <= 0) return;
            } else {
                if (events[i].events & EPOLLOUT && c->pending) flush(c);
                if (events[i].events & ~EPOLLOUT) read_from(c);
            }
        }
        for (ns at = now(); heaped && heap[0]->due <= at;) { /* after the reads: these may close connections */
            struct connection *c = heap[0];
            forget(c);
            tick(c);
        }
    }
}

int main(int argc, char **argv) {
    int port, refused, deaf;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    for (int i = 1; i < argc; i++) set_keys(&defaults, argv[i]);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    timer = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    listener = bound(4096, &port);
    bound(-1, &refused);
    bound(0, &deaf);
    fill(deaf);
    int watched[] = {listener, timer, 0};
    void *names[] = {&listener, &timer, &epoll};
    for (int i = 0; i < 3; i++) {
        struct epoll_event event = {EPOLLIN, {.ptr = names[i]}};
        epoll_ctl(epoll, EPOLL_CTL_ADD, watched[i], &event);
    }
    printf("{\"port\":%d,\"refused\":%d,\"deaf\":%d}\n", port, refused, deaf);
    fflush(stdout);
    serve();
    return 0;
}
