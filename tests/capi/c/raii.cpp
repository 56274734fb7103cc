// The header for C++ against a scripted server. Argument: its URL.

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "codex_blocking.hpp"

#define CHECK(condition)                                                                                      \
    do {                                                                                                      \
        if (!(condition)) {                                                                                   \
            std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                      \
            std::exit(1);                                                                                     \
        }                                                                                                     \
    } while (0)

static bool has(const std::string &json, const char *text) { return json.find(text) != std::string::npos; }

static void a_chat_is_read_and_finished(codex::Client &client) {
    codex::Chat chat = client.chat(R"({"text": "hello"})");
    int steps = 0;
    while (auto step = chat.next()) steps++;
    CHECK(steps == 2 && chat.is_ended());
    codex::Chat moved = std::move(chat);
    CHECK(has(moved.finish(), "echo: hello"));
    CHECK(has(client.chat_once(R"({"text": "again"})"), "echo: again"));
    codex::Chat hanging = client.chat_events(R"({"text": "hang"})");
    while (hanging.next(std::chrono::milliseconds(200)))
        ;
    CHECK(!hanging.is_ended());
    std::thread reader([&] {
        while (hanging.next())
            ;
    });
    hanging.interrupt();
    reader.join();
    CHECK(hanging.is_ended() && has(hanging.error().value(), "turn_interrupted"));
}

static void a_failure_is_an_exception(codex::Client &client) {
    bool is_thrown = false;
    try {
        client.chat_once(R"({"text": "fail"})");
    } catch (const codex::Error &error) {
        is_thrown = error.status() == CODEX_ERROR && has(error.json(), "\"code\":\"turn_failed\"");
    }
    CHECK(is_thrown);
    is_thrown = false;
    codex::Chat chat;
    try {
        chat.next();
    } catch (const codex::Error &error) {
        is_thrown = error.status() == CODEX_INVALID_HANDLE;
    }
    CHECK(is_thrown);
}

static void callbacks_are_functions_of_any_kind(codex::Client &client) {
    std::atomic<int> questions{0};
    client.on_question([&](const std::string &question) {
        questions++;
        client.respond(question, R"({"decision": "accept"})");
    });
    CHECK(has(client.chat_once(R"({"text": "ask"})"), "asked") && questions == 1);
    client.on_question(nullptr);

    std::mutex lock;
    std::condition_variable woken;
    int wakes = 0;
    codex::Chat chat = client.chat(R"({"text": "hello"})");
    chat.on_ready([&] {
        std::lock_guard<std::mutex> guard(lock);
        wakes++;
        woken.notify_one();
    });
    while (!chat.is_ended()) {
        while (chat.next(std::chrono::milliseconds(0)))
            ;
        if (chat.is_ended()) break;
        std::unique_lock<std::mutex> guard(lock);
        woken.wait(guard, [&] { return wakes > 0; });
        wakes = 0;
    }
    CHECK(chat.fd() >= 0);
    client.on_ready([&] {});
    client.on_ready(nullptr);
}

/* What a callback has captured: the sanitizers tell if it is used after its end. */
struct Captured {
    std::shared_ptr<std::string> text = std::make_shared<std::string>("long enough to be on the heap");
};

static void await(const std::atomic<bool> &flag) {
    while (!flag) std::this_thread::yield();
}

static void a_callback_can_replace_itself_and_destroy_its_object(codex::Client &client) {
    Captured captured;
    std::atomic<bool> is_replaced{false}, is_destroyed{false}, is_asked{false};
    codex::Chat chat = client.chat(R"({"text": "hello"})");
    chat.on_ready([&, captured] {
        chat.on_ready(nullptr);
        CHECK(captured.text->size() > 20);
        is_replaced = true;
    });
    await(is_replaced);
    auto *destroyed = new codex::Chat(client.chat(R"({"text": "hello"})"));
    destroyed->on_ready([&, destroyed, captured] {
        delete destroyed;
        CHECK(captured.text->size() > 20);
        is_destroyed = true;
    });
    await(is_destroyed);
    client.on_question([&, captured](const std::string &question) {
        client.on_question(nullptr);
        client.respond(question, R"({"decision": "accept"})");
        CHECK(captured.text->size() > 20);
        is_asked = true;
    });
    CHECK(has(client.chat_once(R"({"text": "ask"})"), "asked"));
    await(is_asked);
}

static void a_text_with_nul_is_not_cut_off(codex::Client &client) {
    bool is_thrown = false;
    try {
        client.start_thread().set_name(std::string("a\0b", 3));
    } catch (const codex::Error &error) {
        is_thrown = error.status() == CODEX_INVALID_INPUT;
    }
    CHECK(is_thrown);
}

static void objects_are_moved(codex::Client &client) {
    codex::Transcript one, other = std::move(one);
    codex::Transcript &same = other;
    other = std::move(same);
    CHECK(has(other.json(), "{"));
    one = std::move(other);
    CHECK(has(one.json(), "{") && other.get() == nullptr);
    std::atomic<int> calls{0};
    codex::Chat from = client.chat_events(R"({"text": "hang"})"), to = client.chat(R"({"text": "hello"})");
    from.on_ready([&] { calls++; });
    while (from.next(std::chrono::milliseconds(0)))
        ;
    to = std::move(from);
    while (to.next(std::chrono::milliseconds(200)))
        ;
    const int before = calls;
    to.interrupt();
    while (calls == before) std::this_thread::yield();
}

static void threads_and_the_rest(codex::Client &client) {
    codex::Thread thread = client.start_thread();
    CHECK(has(thread.chat_once(R"({"text": "one"})"), "echo: one"));
    CHECK(has(thread.turns(), "echo: one"));
    codex::Thread fork = thread.fork();
    codex::Transcript transcript(thread.turns());
    CHECK(has(transcript.json(), "echo: one"));
    CHECK(has(client.exec(R"(["ls"])"), "one two"));
    codex::Command command = client.exec_start(R"(["ls"])");
    CHECK(has(command.wait(), "\"exit_code\":0"));
    codex::Stream stream = client.notifications();
    CHECK(!stream.next(std::chrono::milliseconds(0)) && !stream.is_ended());
    stream.end();
    CHECK(!stream.next() && stream.is_ended());
    CHECK(has(client.account(), "api_key") && has(client.request("model/list"), "data"));
}

static void what_has_no_object_of_its_own(codex::Client &client) {
    std::atomic<int> lines{0};
    codex::on_log([&](int32_t level, const std::string &text) { lines += level > 0 && !text.empty(); }, 5);
    CHECK(client.supports("thread/start").value_or(true));
    codex::on_log(nullptr);
    const int before = lines;
    CHECK(has(client.read_config(), "config") && before > 0);
    for (const auto &write : {&codex::Client::write_config_value, &codex::Client::batch_write_config}) {
        bool is_thrown = false;
        try {
            (client.*write)("{}");
        } catch (const codex::Error &error) {
            is_thrown = error.status() == CODEX_INVALID_INPUT && has(error.json(), "missing field");
        }
        CHECK(is_thrown);
    }
    CHECK(has(client.refresh_account(), "api_key") && lines == before);
    CHECK(!codex::version().empty() && codex::open_count() == 1);

    codex::Chat chat = client.chat_events(R"({"text": "hang"})");
    const std::string ids = chat.ids();
    const auto member = [&](const std::string &name) {
        const size_t begin = ids.find("\"" + name + "\":\"") + name.size() + 4;
        return ids.substr(begin, ids.find('"', begin) - begin);
    };
    client.steer_turn(member("thread_id"), member("turn_id"), R"([{"type": "text", "text": "more"}])");
    client.interrupt_turn(member("turn_id"));
    while (chat.next())
        ;
    CHECK(chat.is_ended());

    codex::Command command = client.exec_start(R"(["ls"])");
    char buffer[16];
    while (command.read(buffer, sizeof buffer))
        ;
    CHECK(command.is_ended() && !command.next());
}

int main(int count, char **arguments) {
    if (count != 2) return 2;
    codex::check_version();
    {
        codex::Client client(std::string(R"({"transport": "websocket", "url": ")") + arguments[1] + "\"}");
        a_chat_is_read_and_finished(client);
        a_failure_is_an_exception(client);
        callbacks_are_functions_of_any_kind(client);
        a_callback_can_replace_itself_and_destroy_its_object(client);
        a_text_with_nul_is_not_cut_off(client);
        objects_are_moved(client);
        threads_and_the_rest(client);
        what_has_no_object_of_its_own(client);
        client.close();
        CHECK(has(client.ended().value(), "closed"));
    }
    CHECK(codex_open_count() == 0);
    std::puts("all well");
}
