//! A conversation with the agent in a terminal.
//!
//!     cargo run --example repl
//!     cargo run --example repl -- --demo
//!     cargo run --example repl -- --offline-model "run ls"
//!     cargo run --example repl -- --url ws://127.0.0.1:8765 --model gpt-5 --cwd ../project "Fix the test"
//!     echo "Which tests fail?" | cargo run --example repl
//!
//! Text arrives as it is written. Commands are folded to the end of their output, changes of files are diffs, and
//! what the agent wants to do is asked for in place. Ctrl-C interrupts the turn. What is typed while a turn runs is
//! the next prompt. If the input is no terminal, each line is a prompt, or the answer to a question that is open; if
//! the output is none, it is plain text. The exit code tells whether a turn failed.
//!
//! `--history FILE` keeps the prompts in a file that only its owner can read; without it, they are forgotten. The
//! example `chat` describes which server is used.

mod app;
mod ask;
mod commands;
mod demo;
mod input;
mod render;
mod screen;
#[path = "../support/mod.rs"]
mod support;
mod text;
mod view;

use std::{
    error::Error,
    io,
    path::PathBuf,
    process::{ExitCode, exit},
};

use codex_blocking::{ApprovalMode, Client, ClientBuilder, ThreadConfig, WebSocket, testing::ModelStub};
use crossbeam_channel::bounded;

use app::{App, Signals};

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        // Nobody reads any more.
        Err(error) if is_broken_pipe(&*error) => ExitCode::FAILURE,
        Err(error) => {
            // A server's words may be in it.
            eprintln!("error: {}", text::clean(&error.to_string()));
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because: {}", text::clean(&error.to_string()));
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

#[derive(Default)]
struct Options {
    demo: bool,
    url: Option<String>,
    model: Option<String>,
    cwd: Option<PathBuf>,
    history: Option<PathBuf>,
    prompt: Option<String>,
}

impl Options {
    fn of(words: Vec<String>) -> Result<Options, Box<dyn Error>> {
        let mut options = Options::default();
        let mut words = words.into_iter().peekable();
        while let Some(word) = words.next_if(|word| word.starts_with("--")) {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--demo" => options.demo = true,
                "--url" => options.url = Some(value()?),
                "--model" => options.model = Some(value()?),
                "--cwd" => options.cwd = Some(value()?.into()),
                "--history" => options.history = Some(value()?.into()),
                "--" => break,
                _ => return Err(format!("there is no option {word}").into()),
            }
        }
        let prompt = words.collect::<Vec<_>>().join(" ");
        options.prompt = (!prompt.is_empty()).then_some(prompt);
        Ok(options)
    }
}

fn run() -> Result<ExitCode, Box<dyn Error>> {
    // Keep the stub alive as long as the client: the server calls it.
    let (stub, words) = support::arguments_with(|| ModelStub::start_with(demo::model))?;
    let options = Options::of(words)?;

    let (wake, woken) = bounded(1);
    let on_ready = wake.clone();
    let builder = Client::builder()
        // Plans and questions to the user.
        .experimental_api(true)
        // The user decides, and may take any time.
        .approval_mode(ApprovalMode::Manual)
        .user_input_timeout(None)
        .on_ready(move || {
            // A wake-up that is not taken yet is enough.
            let _ = on_ready.try_send(());
        });
    let client = connect(&options, builder, stub.as_ref())?;

    let (interrupt, interrupts) = bounded(2);
    ctrlc::set_handler(move || {
        // Nothing takes them: the program hangs.
        if interrupt.try_send(()).is_err() {
            exit(130);
        }
    })?;

    let folder = options.cwd.map_or_else(std::env::current_dir, std::path::absolute)?;
    let mut config = ThreadConfig::new().cwd(folder);
    if let Some(model) = options.model {
        config = config.model(model);
    }
    let screen = screen::Screen::new();
    let input = input::Input::new(screen.is_terminal(), screen.has_colour(), options.history)?;
    let signals = Signals { wake, woken, interrupts };
    let mut app = App::new(client.clone(), config, screen, input, signals, options.prompt);
    let result = app.run();
    // Before the errors are printed.
    drop(app);
    let code = result?;
    client.close()?;
    Ok(code)
}

fn connect(
    options: &Options,
    builder: ClientBuilder,
    stub: Option<&ModelStub>,
) -> Result<Client, Box<dyn Error>> {
    match &options.url {
        Some(_) if options.demo || stub.is_some() => {
            Err("--url can't be combined with --demo or --offline-model".into())
        }
        #[cfg(unix)]
        Some(url) if url.starts_with("unix://") => {
            Ok(builder.connect(codex_blocking::UnixSocket::new(&url["unix://".len()..]))?)
        }
        Some(url) => Ok(builder.connect(WebSocket::new(url))?),
        None if options.demo => Ok(builder.connect(demo::server())?),
        None => support::connect_quietly(stub, builder, demo::server()),
    }
}
