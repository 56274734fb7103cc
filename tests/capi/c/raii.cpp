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

int main(int count, char **arguments) {
    if (count != 2) return 2;
    codex::check_version();
    {
        codex::Client client(std::string(R"({"transport": "websocket", "url": ")") + arguments[1] + "\"}");
        a_chat_is_read_and_finished(client);
        a_failure_is_an_exception(client);
        callbacks_are_functions_of_any_kind(client);
        threads_and_the_rest(client);
        client.close();
        CHECK(has(client.ended().value(), "closed"));
    }
    CHECK(codex_open_count() == 0);
    std::puts("all well");
}
