/*
 * codex_blocking.hpp: codex_blocking.h for C++17 and later. Handles and strings free themselves, failures are
 * exceptions, callbacks are functions of any kind. Header-only; the names and meanings are those of codex_blocking.h,
 * whose comments apply.
 *
 *     codex::Client client(R"({"transport": "stdio"})");
 *     codex::Chat chat = client.chat(R"({"text": "Say hello"})");
 *     while (auto step = chat.next()) std::puts(step->c_str());
 *
 * All objects can be moved, not copied. A moved-from object has no handle: its calls throw. Destroying an object while
 * another thread uses it is wrong, as always in C++; use end, interrupt or close first. A callback may replace itself, and
 * destroy its object: its function lives until it has returned.
 */

#ifndef CODEX_BLOCKING_HPP
#define CODEX_BLOCKING_HPP

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>

#include "codex_blocking.h"

namespace codex {

/** A failure of a call. */
class Error : public std::runtime_error {
public:
    Error(int32_t status, std::string json)
        : std::runtime_error(json), status_(status), json_(std::move(json)) {}
    /** The status, less than 0. */
    int32_t status() const noexcept { return status_; }
    /** The error as JSON: {"code", "message", "causes", ..}. */
    const std::string &json() const noexcept { return json_; }

private:
    int32_t status_;
    std::string json_;
};

/** Checks that the library fits the header. Call it once at the start of a program that loads it dynamically. */
inline void check_version() {
    if (codex_abi_version() != CODEX_ABI_VERSION)
        throw std::runtime_error("codex_blocking: the library has another CODEX_ABI_VERSION than the header");
}

namespace detail {

inline int32_t check(int32_t status) {
    if (status < 0) {
        const char *error = codex_last_error();
        throw Error(status, error ? error : "{}");
    }
    return status;
}

/** Takes over a string of the library. */
inline std::string take(char *string) {
    std::unique_ptr<char, void (*)(char *)> owned(string, codex_string_free);
    return string ? std::string(string) : std::string();
}

template <class Call> std::string text(Call call) {
    char *out = nullptr;
    check(call(&out));
    return take(out);
}

template <class Call> std::optional<std::string> item(Call call) {
    char *out = nullptr;
    const int32_t status = check(call(&out));
    std::string json = take(out);
    return status == CODEX_ITEM ? std::optional<std::string>(std::move(json)) : std::nullopt;
}

inline int64_t millis(std::optional<std::chrono::milliseconds> limit) {
    return limit ? (limit->count() < 0 ? 0 : static_cast<int64_t>(limit->count())) : -1;
}

/** A text for the library, which would take it to end at a NUL. */
inline const char *input(const std::string &text) {
    if (text.find('\0') != std::string::npos)
        throw Error(CODEX_INVALID_INPUT, R"({"code":"invalid_input","message":"a text contains NUL","causes":[]})");
    return text.c_str();
}

/** NULL for an empty text, which means the default. */
inline const char *optional(const std::string &text) { return text.empty() ? nullptr : input(text); }

using Function = std::function<void()>;
using QuestionFunction = std::function<void(const std::string &)>;
using LogFunction = std::function<void(int32_t, const std::string &)>;

/*
 * A function that the library calls by a number. Each call shares it, so it lives until they have returned, also if it
 * is replaced, or its object destroyed, inside of a call; after that the number means nothing.
 */
template <class F> class Registered {
public:
    Registered() noexcept = default;
    explicit Registered(F function) {
        if (!function) return;
        Table &all = table();
        auto shared = std::make_shared<F>(std::move(function));
        std::lock_guard<std::mutex> guard(all.lock);
        all.functions.emplace(all.last + 1, std::move(shared));
        number_ = ++all.last;
    }
    Registered(Registered &&other) noexcept : number_(std::exchange(other.number_, 0)) {}
    Registered &operator=(Registered other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Registered() {
        if (number_ == 0) return;
        Table &all = table();
        std::unique_lock<std::mutex> guard(all.lock);
        /* What it has captured is destroyed without the lock. */
        const auto removed = all.functions.extract(number_);
        guard.unlock();
    }

    explicit operator bool() const noexcept { return number_ != 0; }
    void *user() const noexcept { return reinterpret_cast<void *>(number_); }
    static std::shared_ptr<F> find(void *user) {
        Table &all = table();
        std::lock_guard<std::mutex> guard(all.lock);
        const auto found = all.functions.find(reinterpret_cast<std::uintptr_t>(user));
        return found == all.functions.end() ? nullptr : found->second;
    }

private:
    struct Table {
        std::mutex lock;
        std::unordered_map<std::uintptr_t, std::shared_ptr<F>> functions;
        std::uintptr_t last = 0;
    };
    /* Never destroyed: calls may come while the program ends. */
    static Table &table() {
        static Table *const all = new Table;
        return *all;
    }

    std::uintptr_t number_ = 0;
};

/* An exception can't pass through the library: it ends the program, as in a thread. */
extern "C" inline void codex_hpp_call(void *user) noexcept {
    if (const auto function = Registered<Function>::find(user)) (*function)();
}
extern "C" inline void codex_hpp_question(void *user, const char *question) noexcept {
    if (const auto function = Registered<QuestionFunction>::find(user)) (*function)(question);
}
extern "C" inline void codex_hpp_log(void *user, int32_t level, const char *message) noexcept {
    if (const auto function = Registered<LogFunction>::find(user)) (*function)(level, message);
}

template <class H, void (*Free)(H *)> class Handle {
public:
    Handle() noexcept = default;
    explicit Handle(H *handle) noexcept : handle_(handle) {}
    Handle(Handle &&other) noexcept : handle_(std::exchange(other.handle_, nullptr)), function_(std::move(other.function_)) {}
    Handle &operator=(Handle &&other) noexcept {
        if (this != &other) {
            Free(std::exchange(handle_, std::exchange(other.handle_, nullptr)));
            function_ = std::move(other.function_);
        }
        return *this;
    }
    Handle(const Handle &) = delete;
    Handle &operator=(const Handle &) = delete;
    ~Handle() { Free(handle_); }

    H *get() const noexcept { return handle_; }

protected:
    template <class Set> void set_on_ready(Set set, Function function) {
        Registered<Function> next(std::move(function));
        check(set(handle_, next ? codex_hpp_call : nullptr, next.user()));
        function_ = std::move(next);
    }

    H *handle_ = nullptr;

private:
    Registered<Function> function_;
};

} // namespace detail

using Timeout = std::optional<std::chrono::milliseconds>;

/** The version of the library. */
inline std::string version() { return codex_version(); }

/** How many handles and strings have not been freed. */
inline int64_t open_count() { return codex_open_count(); }

/**
 * Has the function called with the level and the text of each line of the log up to max_level: 1 (errors) to 5
 * (everything). It must not call this library. nullptr ends the calls, and waits for those that run.
 */
inline void on_log(std::function<void(int32_t, const std::string &)> function, int32_t max_level = 2) {
    static std::mutex lock;
    static auto *const current = new detail::Registered<detail::LogFunction>;
    detail::Registered<detail::LogFunction> next(std::move(function));
    std::lock_guard<std::mutex> guard(lock);
    detail::check(codex_on_log(next ? detail::codex_hpp_log : nullptr, next.user(), max_level));
    *current = std::move(next);
}

/** Reads a stream: of a chat, of notifications or questions. */
template <class H, void (*Free)(H *), int32_t (*Next)(H *, int64_t, char **),
          int32_t (*Batch)(H *, int64_t, uint32_t, char **), int32_t (*Fd)(H *),
          int32_t (*OnReady)(H *, codex_callback, void *), int32_t (*End)(H *)>
class Reader : public detail::Handle<H, Free> {
public:
    using detail::Handle<H, Free>::Handle;

    /** The next item. Nothing at the end, and after the limit; is_ended tells which. */
    std::optional<std::string> next(Timeout limit = std::nullopt) {
        return read([&](char **out) { return Next(this->handle_, detail::millis(limit), out); });
    }
    /** The next items as an array. */
    std::optional<std::string> next_batch(uint32_t max, Timeout limit = std::nullopt) {
        return read([&](char **out) { return Batch(this->handle_, detail::millis(limit), max, out); });
    }
    /** Whether the last next or next_batch found the end. */
    bool is_ended() const noexcept { return is_ended_; }
    int fd() const { return detail::check(Fd(this->handle_)); }
    void on_ready(std::function<void()> function) { this->set_on_ready(OnReady, std::move(function)); }
    void end() { detail::check(End(this->handle_)); }

private:
    template <class Call> std::optional<std::string> read(Call call) {
        char *out = nullptr;
        const int32_t status = detail::check(call(&out));
        std::string json = detail::take(out);
        is_ended_ = status == CODEX_ENDED;
        return status == CODEX_ITEM ? std::optional<std::string>(std::move(json)) : std::nullopt;
    }

    bool is_ended_ = false;
};

/** Steps or events of a turn. */
class Chat : public Reader<codex_chat, codex_chat_free, codex_chat_next, codex_chat_next_batch, codex_chat_fd,
                           codex_chat_on_ready, codex_chat_end> {
public:
    using Reader::Reader;
    std::string ids() const { return detail::text([&](char **out) { return codex_chat_ids(handle_, out); }); }
    std::string finish() { return detail::text([&](char **out) { return codex_chat_finish(handle_, out); }); }
    std::optional<std::string> error() const {
        return detail::item([&](char **out) { return codex_chat_error(handle_, out); });
    }
    void steer(const std::string &text) { detail::check(codex_chat_steer(handle_, detail::input(text))); }
    void interrupt() { detail::check(codex_chat_interrupt(handle_)); }
    void request_interrupt() { detail::check(codex_chat_request_interrupt(handle_)); }
    std::string cancel() { return detail::text([&](char **out) { return codex_chat_cancel(handle_, out); }); }
    std::string continuation() const {
        return detail::text([&](char **out) { return codex_chat_continuation(handle_, out); });
    }
};

/** Notifications or questions. */
class Stream : public Reader<codex_stream, codex_stream_free, codex_stream_next, codex_stream_next_batch,
                             codex_stream_fd, codex_stream_on_ready, codex_stream_end> {
public:
    using Reader::Reader;
};

/** A command that runs on the server. */
class Command : public detail::Handle<codex_command, codex_command_free> {
public:
    using Handle::Handle;
    std::string info() const { return detail::text([&](char **out) { return codex_command_info(handle_, out); }); }
    /** The next chunk of output. Nothing at the end, and after the limit; is_ended tells which. */
    std::optional<std::string> next(Timeout limit = std::nullopt) {
        char *out = nullptr;
        is_ended_ = detail::check(codex_command_next(handle_, detail::millis(limit), &out)) == CODEX_ENDED;
        return out ? std::optional<std::string>(detail::take(out)) : std::nullopt;
    }
    /**
     * Reads bytes into the buffer, and gives how many, and the stream: 1 (stdout), 2 (stderr) or 0 (another). Nothing at
     * the end, and after the limit; is_ended tells which.
     */
    std::optional<std::pair<size_t, int32_t>> read(void *buffer, size_t capacity, Timeout limit = std::nullopt) {
        size_t length = 0;
        int32_t stream = 0;
        const int32_t status = detail::check(codex_command_read(
            handle_, detail::millis(limit), static_cast<uint8_t *>(buffer), capacity, &length, &stream));
        is_ended_ = status == CODEX_ENDED;
        return status == CODEX_ITEM ? std::optional(std::pair(length, stream)) : std::nullopt;
    }
    /** Whether the last next or read found the end. wait tells how the command ended. */
    bool is_ended() const noexcept { return is_ended_; }
    void write(const std::string &data) {
        detail::check(codex_command_write(handle_, reinterpret_cast<const uint8_t *>(data.data()), data.size()));
    }
    void close_stdin() { detail::check(codex_command_close_stdin(handle_)); }
    void resize(uint16_t rows, uint16_t cols) { detail::check(codex_command_resize(handle_, rows, cols)); }
    void terminate() { detail::check(codex_command_terminate(handle_)); }
    std::string wait() { return detail::text([&](char **out) { return codex_command_wait(handle_, out); }); }
    int fd() const { return detail::check(codex_command_fd(handle_)); }
    void on_ready(std::function<void()> function) { set_on_ready(codex_command_on_ready, std::move(function)); }
    void end() { detail::check(codex_command_end(handle_)); }

private:
    bool is_ended_ = false;
};

/** A conversation of several turns. An empty configuration is the default. */
class Thread : public detail::Handle<codex_thread, codex_thread_free> {
public:
    using Handle::Handle;
    std::string info() const { return detail::text([&](char **out) { return codex_thread_info(handle_, out); }); }
    std::string chat_once(const std::string &request) {
        return detail::text([&](char **out) { return codex_thread_chat_once(handle_, detail::input(request), out); });
    }
    Chat chat(const std::string &request) { return begin(codex_thread_chat, request); }
    Chat chat_events(const std::string &request) { return begin(codex_thread_chat_events, request); }
    std::string chat_json(const std::string &request, const std::string &schema) {
        return detail::text(
            [&](char **out) {
                return codex_thread_chat_json(handle_, detail::input(request), detail::input(schema), out);
            });
    }
    std::string read(bool include_turns) const {
        return detail::text([&](char **out) { return codex_thread_read(handle_, include_turns, out); });
    }
    std::string turns() const { return detail::text([&](char **out) { return codex_thread_turns(handle_, out); }); }
    std::optional<std::string> token_usage() const {
        return detail::item([&](char **out) { return codex_thread_token_usage(handle_, out); });
    }
    void set_name(const std::string &name) { detail::check(codex_thread_set_name(handle_, detail::input(name))); }
    void archive() { detail::check(codex_thread_archive(handle_)); }
    void unarchive() { detail::check(codex_thread_unarchive(handle_)); }
    void compact() { detail::check(codex_thread_compact(handle_)); }
    std::string rollback(uint32_t num_turns) {
        return detail::text([&](char **out) { return codex_thread_rollback(handle_, num_turns, out); });
    }
    Chat review(const std::string &target, const std::string &delivery = "") {
        codex_chat *chat = nullptr;
        detail::check(codex_thread_review(handle_, detail::input(target), detail::optional(delivery), &chat));
        return Chat(chat);
    }
    Chat review_events(const std::string &target, const std::string &delivery = "") {
        codex_chat *chat = nullptr;
        detail::check(codex_thread_review_events(handle_, detail::input(target), detail::optional(delivery), &chat));
        return Chat(chat);
    }
    void update_defaults(const std::string &config) {
        detail::check(codex_thread_update_defaults(handle_, detail::input(config)));
    }
    Thread fork(const std::string &config = "", const std::string &last_turn_id = "") {
        codex_thread *thread = nullptr;
        detail::check(codex_thread_fork(handle_, detail::optional(last_turn_id), detail::optional(config), &thread));
        return Thread(thread);
    }
    void unload() { detail::check(codex_thread_unload(handle_)); }

private:
    Chat begin(int32_t (*begin)(codex_thread *, const char *, codex_chat **), const std::string &request) {
        codex_chat *chat = nullptr;
        detail::check(begin(handle_, detail::input(request), &chat));
        return Chat(chat);
    }
};

/** A sign-in that waits for the user. */
class Login : public detail::Handle<codex_login, codex_login_free> {
public:
    using Handle::Handle;
    std::string info() const { return detail::text([&](char **out) { return codex_login_info(handle_, out); }); }
    /** Whether the user is done, within the limit. */
    bool wait(Timeout limit = std::nullopt) {
        return detail::check(codex_login_wait(handle_, detail::millis(limit))) == CODEX_OK;
    }
    void cancel() { detail::check(codex_login_cancel(handle_)); }
};

/** What a screen shows of events. */
class Transcript : public detail::Handle<codex_transcript, codex_transcript_free> {
public:
    Transcript() { detail::check(codex_transcript_new(&handle_)); }
    explicit Transcript(const std::string &turns) {
        detail::check(codex_transcript_from_turns(detail::input(turns), &handle_));
    }
    void apply(const std::string &event) { detail::check(codex_transcript_apply(handle_, detail::input(event))); }
    std::string json() const { return detail::text([&](char **out) { return codex_transcript_json(handle_, out); }); }
};

/** A connection to a server. */
class Client : public detail::Handle<codex_client, codex_client_free> {
public:
    explicit Client(const std::string &options) { detail::check(codex_client_connect(detail::input(options), &handle_)); }

    void close() { detail::check(codex_client_close(handle_)); }
    std::string initialize() { return text(codex_client_initialize); }
    std::string request(const std::string &method, const std::string &params = "") {
        return detail::text([&](char **out) {
            return codex_client_request(handle_, detail::input(method), detail::optional(params), out);
        });
    }
    std::string request(const std::string &method, const std::string &params, Timeout limit) {
        return detail::text([&](char **out) {
            return codex_client_request_with_timeout(handle_, detail::input(method), detail::optional(params),
                                                     detail::millis(limit), out);
        });
    }
    void notify(const std::string &method, const std::string &params = "") {
        detail::check(codex_client_notify(handle_, detail::input(method), detail::optional(params)));
    }
    std::string stats() const { return text(codex_client_stats); }
    std::string info() const { return text(codex_client_info); }
    std::optional<std::string> ended() const {
        return detail::item([&](char **out) { return codex_client_ended(handle_, out); });
    }
    /** Whether the server knows a method. Nothing where it can't be known. */
    std::optional<bool> supports(const std::string &method) const {
        const int32_t answer = detail::check(codex_client_supports(handle_, detail::input(method)));
        return answer == CODEX_NOTHING_YET ? std::nullopt : std::optional<bool>(answer == 1);
    }
    void on_ready(std::function<void()> function) { set_on_ready(codex_client_on_ready, std::move(function)); }

    std::string chat_once(const std::string &request) { return text(codex_client_chat_once, request); }
    Chat chat(const std::string &request) { return Chat(open(codex_client_chat, request)); }
    Chat chat_events(const std::string &request) { return Chat(open(codex_client_chat_events, request)); }
    std::string chat_json(const std::string &request, const std::string &schema) {
        return detail::text(
            [&](char **out) {
                return codex_client_chat_json(handle_, detail::input(request), detail::input(schema), out);
            });
    }
    Chat follow(const std::string &thread_id) { return Chat(open(codex_client_follow, thread_id)); }
    std::string cancel(const std::string &continuation) { return text(codex_client_cancel, continuation); }
    void forget(const std::string &continuation) {
        detail::check(codex_client_forget(handle_, detail::input(continuation)));
    }

    /** Without thread_id, of a turn that this client has started. */
    void interrupt_turn(const std::string &turn_id, const std::string &thread_id = "") {
        detail::check(codex_client_interrupt_turn(handle_, detail::optional(thread_id), detail::input(turn_id)));
    }
    std::string steer_turn(const std::string &thread_id, const std::string &turn_id, const std::string &input) {
        return detail::text([&](char **out) {
            return codex_client_steer_turn(handle_, detail::input(thread_id), detail::input(turn_id),
                                           detail::input(input), out);
        });
    }

    Stream notifications() { return Stream(open(codex_client_notifications)); }
    Stream questions() { return Stream(open(codex_client_questions)); }
    std::string pending() const { return text(codex_client_pending); }
    /** An empty answer is the one that grants nothing. */
    void respond(const std::string &question, const std::string &answer) {
        detail::check(codex_client_respond(handle_, detail::input(question), detail::optional(answer)));
    }
    void respond_error(const std::string &question, int64_t code, const std::string &message) {
        detail::check(codex_client_respond_error(handle_, detail::input(question), code, detail::input(message)));
    }
    void on_question(std::function<void(const std::string &)> function) {
        detail::Registered<detail::QuestionFunction> next(std::move(function));
        detail::check(codex_client_on_question(handle_, next ? detail::codex_hpp_question : nullptr, next.user()));
        on_question_ = std::move(next);
    }

    Thread start_thread(const std::string &config = "") {
        codex_thread *thread = nullptr;
        detail::check(codex_client_start_thread(handle_, detail::optional(config), &thread));
        return Thread(thread);
    }
    Thread start_thread_with_tools(const std::string &config, const std::string &tools) {
        codex_thread *thread = nullptr;
        detail::check(
            codex_client_start_thread_with_tools(handle_, detail::optional(config), detail::input(tools), &thread));
        return Thread(thread);
    }
    Thread thread(const std::string &id) {
        codex_thread *thread = nullptr;
        detail::check(codex_client_thread(handle_, detail::input(id), &thread));
        return Thread(thread);
    }
    Thread resume_thread(const std::string &id, const std::string &config = "") {
        codex_thread *thread = nullptr;
        detail::check(codex_client_resume_thread(handle_, detail::input(id), detail::optional(config), &thread));
        return Thread(thread);
    }
    Thread fork_thread(const std::string &id, const std::string &config = "", const std::string &last_turn_id = "") {
        codex_thread *thread = nullptr;
        detail::check(codex_client_fork_thread(handle_, detail::input(id), detail::optional(last_turn_id),
                                               detail::optional(config), &thread));
        return Thread(thread);
    }
    std::string list_threads(const std::string &options = "{}") const {
        return text(codex_client_list_threads, options);
    }
    std::string list_models(const std::string &options = "{}") const { return text(codex_client_list_models, options); }

    std::string read_config(const std::string &options = "{}") const { return text(codex_client_read_config, options); }
    std::string read_config_requirements() const { return text(codex_client_read_config_requirements); }
    std::string write_config_value(const std::string &write) { return text(codex_client_write_config_value, write); }
    std::string batch_write_config(const std::string &batch) { return text(codex_client_batch_write_config, batch); }

    std::string exec(const std::string &argv, const std::string &options = "") {
        return detail::text([&](char **out) {
            return codex_client_exec(handle_, detail::input(argv), detail::optional(options), out);
        });
    }
    Command exec_start(const std::string &argv, const std::string &options = "") {
        codex_command *command = nullptr;
        detail::check(codex_client_exec_start(handle_, detail::input(argv), detail::optional(options), &command));
        return Command(command);
    }

    std::string account() const { return text(codex_client_account); }
    std::string refresh_account() const { return text(codex_client_refresh_account); }
    void login_api_key(const std::string &key) { detail::check(codex_client_login_api_key(handle_, detail::input(key))); }
    Login login_chatgpt() { return Login(open(codex_client_login_chatgpt)); }
    Login login_device_code() { return Login(open(codex_client_login_device_code)); }
    void logout() { detail::check(codex_client_logout(handle_)); }
    std::string rate_limits() const { return text(codex_client_rate_limits); }

private:
    std::string text(int32_t (*call)(codex_client *, char **)) const {
        return detail::text([&](char **out) { return call(handle_, out); });
    }
    std::string text(int32_t (*call)(codex_client *, const char *, char **), const std::string &argument) const {
        return detail::text([&](char **out) { return call(handle_, detail::input(argument), out); });
    }
    template <class H> H *open(int32_t (*call)(codex_client *, H **)) {
        H *handle = nullptr;
        detail::check(call(handle_, &handle));
        return handle;
    }
    template <class H> H *open(int32_t (*call)(codex_client *, const char *, H **), const std::string &argument) {
        H *handle = nullptr;
        detail::check(call(handle_, detail::input(argument), &handle));
        return handle;
    }

    detail::Registered<detail::QuestionFunction> on_question_;
};

} // namespace codex

#endif
