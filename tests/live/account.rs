//! The account of the real server: signing in with an API key, in a browser and with a device code, and what is told
//! of a sign-in that fails. A stub on loopback stands in for OpenAI.
//!
//! Relies on `support/real.rs`. Invariant: nothing leaves the machine; no two cases sign in with a browser, since
//! servers share the port that it comes back to, and end each other's sign-ins.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use codex_blocking::testing::{ModelReply, ModelStub};
use codex_blocking::{Account, AccountKind, Client, Error, PlanType, Stdio};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::support::PATIENCE;
use crate::support::cases::cases;
use crate::support::real::{RealHome, is_old_server};

cases![
    an_api_key_signs_in_and_a_logout_out,
    a_wrong_api_key_fails_the_turn_and_says_what_to_do,
    an_administrator_can_forbid_a_way_to_sign_in,
    a_browser_signs_in,
    a_device_code_signs_in,
    an_account_is_refreshed_with_new_tokens,
    a_sign_in_that_was_revoked_fails_the_turn_and_says_what_to_do,
    a_device_code_that_is_denied_cancelled_or_replaced_ends_its_login,
];

/// What stands in for OpenAI's sign-in.
#[derive(Default)]
struct Script {
    /// The status of each request for the token of a device code; later ones are granted.
    device: Vec<u16>,
    /// The answer to a request for new tokens, in place of tokens.
    refresh: Option<(u16, Value)>,
    /// Paths of the requests so far.
    asked: Vec<String>,
}

#[derive(Clone)]
struct Issuer {
    url: String,
    script: Arc<Mutex<Script>>,
}

impl Issuer {
    fn start() -> Issuer {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let issuer = Issuer { url, script: Arc::default() };
        let serving = issuer.clone();
        // Ends with the program.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let issuer = serving.clone();
                thread::spawn(move || issuer.answer(stream));
            }
        });
        issuer
    }

    fn answer(&self, mut stream: TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let (mut first, mut length) = (String::new(), 0);
        reader.read_line(&mut first).ok()?;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let path = first.split(' ').nth(1)?.to_owned();
        let (status, answer) = self.decide(&path, &String::from_utf8_lossy(&body));
        let answer = answer.to_string();
        write!(
            stream,
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
            answer.len()
        )
        .ok()
    }

    fn decide(&self, path: &str, body: &str) -> (u16, Value) {
        let mut script = self.script.lock();
        script.asked.push(path.to_owned());
        match path {
            "/api/accounts/deviceauth/usercode" => {
                (200, json!({ "device_auth_id": "d", "user_code": "ABCD-1234", "interval": "1" }))
            }
            "/api/accounts/deviceauth/token" => match script.device.is_empty() {
                true => {
                    (200, json!({ "authorization_code": "c", "code_challenge": "x", "code_verifier": "y" }))
                }
                false => (script.device.remove(0), json!({ "error": "x" })),
            },
            "/oauth/token" if body.contains("grant_type=authorization_code") => (200, tokens()),
            "/oauth/token" if body.contains("refresh_token") => {
                script.refresh.clone().unwrap_or_else(|| (200, tokens()))
            }
            "/oauth/revoke" => (200, json!({})),
            path if path.ends_with("/accounts/check") => {
                let account = json!({ "id": "acc-1", "name": "W", "structure": "personal",
                    "workspace_backend_origin": "https://chatgpt.com", "account_routing_override": "NO_CONSTRAINT" });
                let ids = json!(["acc-1"]);
                (
                    200,
                    json!({ "accounts": [account], "default_account_id": "acc-1", "account_ordering": ids }),
                )
            }
            _ => (404, json!({ "error": "not in the stub" })),
        }
    }
}

/// Tokens for the account `acc-1`.
fn tokens() -> Value {
    tokens_of("pro")
}

/// The same with this plan.
fn tokens_of(plan: &str) -> Value {
    let claims = json!({ "email": "me@example.com", "exp": 4_102_444_800_u64, "https://api.openai.com/auth":
        { "chatgpt_plan_type": plan, "chatgpt_user_id": "user-1", "chatgpt_account_id": "acc-1" } });
    let part = |value: &Value| base64_url(value.to_string().as_bytes());
    let token = format!("{}.{}.c2ln", part(&json!({ "alg": "none" })), part(&claims));
    json!({ "id_token": token, "access_token": token, "refresh_token": "refresh-1" })
}

fn base64_url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let groups = bytes.chunks(3).flat_map(|chunk| {
        let bits =
            chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        (0..=chunk.len()).map(move |at| LETTERS[(bits >> (18 - 6 * at) & 63) as usize] as char)
    });
    groups.collect()
}

/// A server of its own, whose provider is the stub, but needs a sign-in.
struct SignedOut {
    client: Client,
    issuer: Issuer,
    /// Goes last.
    home: RealHome,
}

impl SignedOut {
    fn new() -> SignedOut {
        SignedOut::with(ModelStub::start().unwrap(), |stdio| stdio)
    }

    fn with(model: ModelStub, configure: impl FnOnce(Stdio) -> Stdio) -> SignedOut {
        let (home, issuer) = (RealHome::with_model(model), Issuer::start());
        let stdio = home
            .envs()
            .into_iter()
            .fold(Stdio::command(home.command()), |stdio, (name, value)| stdio.env(name, value));
        let url = &issuer.url;
        let stdio = stdio
            .cwd(home.workspace())
            .codex_home(home.home())
            .config("model_providers.mock.requires_openai_auth", true)
            .config("chatgpt_base_url", url)
            .env_remove("OPENAI_API_KEY")
            .env_remove("CODEX_API_KEY")
            .env("CODEX_APP_SERVER_LOGIN_ISSUER", url)
            .env("CODEX_APP_SERVER_CHATGPT_BASE_URL", url)
            .env("CODEX_REVOKE_TOKEN_URL_OVERRIDE", format!("{url}/oauth/revoke"))
            .env("CODEX_REFRESH_TOKEN_URL_OVERRIDE", format!("{url}/oauth/token"));
        let client = Client::connect(configure(stdio)).unwrap();
        SignedOut { client, issuer, home }
    }

    fn auth_file(&self) -> Option<String> {
        std::fs::read_to_string(self.home.home().join("auth.json")).ok()
    }
}

fn is_signed_in_as_me(client: &Client) {
    is_signed_in_as(&client.account().unwrap(), &PlanType::Pro);
}

fn is_signed_in_as(account: &Account, plan: &PlanType) {
    assert_eq!((account.kind.as_ref(), account.plan.as_ref()), (Some(&AccountKind::Chatgpt), Some(plan)));
    assert_eq!(account.email.as_deref(), Some("me@example.com"));
}

fn an_api_key_signs_in_and_a_logout_out() {
    let here = SignedOut::new();
    let client = &here.client;
    let before = client.account().unwrap();
    assert!(before.kind.is_none() && !before.is_ready(), "{before:?}");
    client.logout().unwrap();
    client.login_api_key("sk-test-1\n").unwrap();
    let account = client.account().unwrap();
    assert!(account.is_ready());
    assert_eq!((account.kind, account.email, account.plan), (Some(AccountKind::ApiKey), None, None));
    assert!(here.auth_file().unwrap().contains("\"sk-test-1\""));
    assert_eq!(client.chat_once("hello").unwrap().final_text, "echo: hello");
    let error = client.rate_limits().unwrap_err();
    assert!(error.to_string().contains("login_chatgpt"), "{error}");
    client.logout().unwrap();
    assert!(client.account().unwrap().kind.is_none());
    assert!(here.auth_file().is_none_or(|text| !text.contains("sk-test-1")));
}

fn a_wrong_api_key_fails_the_turn_and_says_what_to_do() {
    let model = ModelStub::start_with(|_| {
        ModelReply::status(401, json!({ "error": { "message": "Incorrect API key provided" } }))
    })
    .unwrap();
    let here = SignedOut::with(model, |stdio| stdio);
    let error = here.client.chat_once("hello").unwrap_err();
    assert!(error.to_string().contains("Client::login_api_key"), "{error}");
    here.client.login_api_key("sk-wrong").unwrap();
    let error = here.client.chat_once("hello").unwrap_err();
    assert_eq!(error.code(), "turn_failed");
    let shown = error.to_string();
    assert!(
        shown.contains("Incorrect API key provided") && shown.contains("Client::login_api_key"),
        "{shown}"
    );
}

fn an_administrator_can_forbid_a_way_to_sign_in() {
    let here =
        SignedOut::with(ModelStub::start().unwrap(), |stdio| stdio.config("forced_login_method", "chatgpt"));
    let error = here.client.login_api_key("sk-test-1").unwrap_err();
    assert!(matches!(error, Error::Rpc { .. }) && error.to_string().contains("ChatGPT"), "{error}");
    let here =
        SignedOut::with(ModelStub::start().unwrap(), |stdio| stdio.config("forced_login_method", "api"));
    for error in [here.client.login_chatgpt().unwrap_err(), here.client.login_device_code().unwrap_err()] {
        assert!(matches!(error, Error::Rpc { .. }) && error.to_string().contains("API key"), "{error}");
    }
}

/// Requests the page to which the browser is led back, and the one to which that leads.
fn come_back(url: &str, query: &str) {
    let parameter = |name: &str| {
        let (_, rest) = url.split_once(&format!("{name}=")).unwrap();
        rest.split('&').next().unwrap().to_owned()
    };
    let back = parameter("redirect_uri").replace("%3A", ":").replace("%2F", "/");
    let page = get(&format!("{back}?state={}&{query}", parameter("state")));
    let next = page
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("location: ").map(|_| &line[10..]));
    if let Some(next) = next {
        get(next);
    }
}

fn get(url: &str) -> String {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

fn a_browser_signs_in() {
    if is_old_server() {
        return;
    }
    let here = SignedOut::new();
    let client = &here.client;
    let first = client.login_chatgpt().unwrap();
    assert!(first.url().starts_with(&here.issuer.url) && first.user_code().is_none(), "{}", first.url());
    let error = first.wait(Duration::from_millis(50)).unwrap_err();
    assert!(error.is_timeout(), "{error}");
    // A second one at once ends the first.
    let denied = client.login_chatgpt().unwrap();
    let error = first.wait(PATIENCE).unwrap_err();
    assert!(matches!(error, Error::LoginFailed { was_cancelled: true, .. }), "{error:?}");
    come_back(denied.url(), "error=access_denied&error_description=the+user+says+no");
    let error = denied.wait(PATIENCE).unwrap_err();
    assert!(error.to_string().contains("the user says no"), "{error}");
    assert!(matches!(error, Error::LoginFailed { was_cancelled: false, .. }), "{error:?}");
    let cancelled = client.login_chatgpt().unwrap();
    let waiting = thread::spawn({
        let login = cancelled.clone();
        move || login.wait(None)
    });
    cancelled.cancel().unwrap();
    let error = waiting.join().unwrap().unwrap_err();
    assert!(matches!(error, Error::LoginFailed { was_cancelled: true, .. }), "{error:?}");
    let login = client.login_chatgpt().unwrap();
    come_back(login.url(), "code=a-code");
    login.wait(PATIENCE).unwrap();
    is_signed_in_as_me(client);
    assert_eq!(client.chat_once("hello").unwrap().final_text, "echo: hello");
    client.logout().unwrap();
    assert!(client.account().unwrap().kind.is_none());
    assert!(here.issuer.script.lock().asked.iter().any(|path| path == "/oauth/revoke"));
}

fn a_device_code_signs_in() {
    if is_old_server() {
        return;
    }
    let here = SignedOut::new();
    here.issuer.script.lock().device = vec![403, 404];
    let login = here.client.login_device_code().unwrap();
    assert_eq!(login.user_code(), Some("ABCD-1234"));
    assert!(login.url().starts_with(&here.issuer.url), "{}", login.url());
    login.wait(PATIENCE).unwrap();
    is_signed_in_as_me(&here.client);
}

fn an_account_is_refreshed_with_new_tokens() {
    if is_old_server() {
        return;
    }
    let here = SignedOut::new();
    here.client.login_device_code().unwrap().wait(PATIENCE).unwrap();
    let refreshes = || {
        let script = here.issuer.script.lock();
        script.asked.iter().filter(|path| *path == "/oauth/token").count()
    };
    let before = refreshes();
    here.client.account().unwrap();
    assert_eq!(refreshes(), before);
    here.issuer.script.lock().refresh = Some((200, tokens_of("plus")));
    is_signed_in_as(&here.client.refresh_account().unwrap(), &PlanType::Plus);
    assert_eq!(refreshes(), before + 1);
    here.issuer.script.lock().refresh = Some((500, json!({})));
    is_signed_in_as(&here.client.refresh_account().unwrap(), &PlanType::Plus);
    let revoked = json!({ "error": { "code": "refresh_token_invalidated", "message": "revoked" } });
    here.issuer.script.lock().refresh = Some((401, revoked));
    let account = here.client.refresh_account().unwrap();
    assert!(account.kind.is_none() && !account.is_ready(), "{account:?}");
}

fn a_sign_in_that_was_revoked_fails_the_turn_and_says_what_to_do() {
    if is_old_server() {
        return;
    }
    let model = ModelStub::start_with(|_| {
        ModelReply::status(401, json!({ "error": { "message": "token revoked" } }))
    })
    .unwrap();
    let here = SignedOut::with(model, |stdio| stdio);
    here.client.login_device_code().unwrap().wait(PATIENCE).unwrap();
    let revoked = json!({ "error": { "code": "refresh_token_invalidated", "message": "revoked" } });
    here.issuer.script.lock().refresh = Some((401, revoked));
    let error = here.client.chat_once("hello").unwrap_err();
    assert_eq!(error.code(), "turn_failed");
    let shown = error.to_string();
    assert!(shown.contains("refresh token was revoked") && shown.contains("Client::logout"), "{shown}");
}

fn a_device_code_that_is_denied_cancelled_or_replaced_ends_its_login() {
    if is_old_server() {
        return;
    }
    let here = SignedOut::new();
    here.issuer.script.lock().device = vec![403, 400];
    let error = here.client.login_device_code().unwrap().wait(PATIENCE).unwrap_err();
    assert!(matches!(error, Error::LoginFailed { was_cancelled: false, .. }), "{error:?}");
    assert!(error.to_string().contains("400"), "{error}");
    here.issuer.script.lock().device = vec![403; 1000];
    let cancelled = here.client.login_device_code().unwrap();
    cancelled.cancel().unwrap();
    let error = cancelled.wait(PATIENCE).unwrap_err();
    assert!(matches!(error, Error::LoginFailed { was_cancelled: true, .. }), "{error:?}");
    for replace in [
        (|client: &Client| client.login_device_code().map(drop)) as fn(&Client) -> codex_blocking::Result<()>,
        |client| client.login_api_key("sk-test-1"),
        Client::logout,
    ] {
        let login = here.client.login_device_code().unwrap();
        replace(&here.client).unwrap();
        let error = login.wait(PATIENCE).unwrap_err();
        assert!(matches!(error, Error::LoginFailed { was_cancelled: true, .. }), "{error:?}");
    }
    let login = here.client.login_device_code().unwrap();
    here.client.close().unwrap();
    assert_eq!(login.wait(None).unwrap_err().code(), "closed");
}
