//! The account of the server, and sign-ins by a handle.
//!
//! Relies on `Login`. Invariant: freeing a handle has no effect on its sign-in.

use std::ffi::c_char;

use serde_json::json;

use super::{
    CODEX_NOTHING_YET, CODEX_OK,
    buffers::{give_handle, give_json, text},
    codex_client, codex_login,
    failure::{call, free, run},
    handles::{Handled, close, get},
    open_client::OpenClient,
};
use crate::{
    Login,
    error::{Error, Timeout},
};

pub(super) struct OpenLogin(Login);

impl Handled for OpenLogin {
    type Handle = codex_login;
    const KIND: u8 = 6;
    const NAME: &str = "codex_login";
}

/// Gives the account that the server is signed in with (an Account as JSON). Blocks for at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_account(client: *mut codex_client, out_json: *mut *mut c_char) -> i32 {
    give_json(out_json, || Ok(get::<OpenClient>(client)?.client.account()?))
}

/// Same as codex_client_account, after the server has asked OpenAI for new tokens, if it is signed in with ChatGPT: a
/// change of the plan shows at once. Blocks for at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_refresh_account(client: *mut codex_client, out_json: *mut *mut c_char) -> i32 {
    give_json(out_json, || Ok(get::<OpenClient>(client)?.client.refresh_account()?))
}

/// Signs the server in with an API key. Blocks for at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_login_api_key(client: *mut codex_client, key: *const c_char) -> i32 {
    run(|| Ok(get::<OpenClient>(client)?.client.login_api_key(text("the key", key)?)?))
}

/// Begins a sign-in with ChatGPT in a browser. Blocks for at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_login_chatgpt(client: *mut codex_client, out: *mut *mut codex_login) -> i32 {
    give_handle(out, || Ok(OpenLogin(get::<OpenClient>(client)?.client.login_chatgpt()?)))
}

/// Begins a sign-in with ChatGPT with a code that the user types in. Blocks for at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_login_device_code(
    client: *mut codex_client,
    out: *mut *mut codex_login,
) -> i32 {
    give_handle(out, || Ok(OpenLogin(get::<OpenClient>(client)?.client.login_device_code()?)))
}

/// Signs the server out. Blocks for at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_logout(client: *mut codex_client) -> i32 {
    run(|| Ok(get::<OpenClient>(client)?.client.logout()?))
}

/// Gives the rate limits of the account, in the protocol's JSON. Blocks for at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_rate_limits(client: *mut codex_client, out_json: *mut *mut c_char) -> i32 {
    give_json(out_json, || Ok(get::<OpenClient>(client)?.client.rate_limits()?))
}

/// Gives {"login_id", "url", "user_code", "is_ended"}: the page that the user opens, and the code for it (null without
/// one). Never waits.
#[unsafe(no_mangle)]
pub extern "C" fn codex_login_info(login: *mut codex_login, out_json: *mut *mut c_char) -> i32 {
    give_json(out_json, || {
        let login = &get::<OpenLogin>(login)?.0;
        Ok(json!({
            "login_id": login.login_id(),
            "url": login.url(),
            "user_code": login.user_code(),
            "is_ended": login.is_ended(),
        }))
    })
}

/// Waits for up to timeout_ms milliseconds (less than 0: without a limit) for the end of the sign-in: CODEX_OK if the
/// server is signed in, CODEX_NOTHING_YET if the user is not done, negative if it failed or was cancelled.
/// codex_login_cancel in another thread ends the wait; freeing the handle doesn't.
#[unsafe(no_mangle)]
pub extern "C" fn codex_login_wait(login: *mut codex_login, timeout_ms: i64) -> i32 {
    call(|| {
        let limit = u64::try_from(timeout_ms).ok().map(std::time::Duration::from_millis);
        match get::<OpenLogin>(login)?.0.wait(limit) {
            Ok(()) => Ok(CODEX_OK),
            Err(Error::Timeout { limit: Timeout::Login { .. }, .. }) => Ok(CODEX_NOTHING_YET),
            Err(error) => Err(error.into()),
        }
    })
}

/// Cancels the sign-in. Blocks for at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_login_cancel(login: *mut codex_login) -> i32 {
    run(|| Ok(get::<OpenLogin>(login)?.0.cancel()?))
}

/// Frees the handle; the sign-in goes on. NULL does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn codex_login_free(login: *mut codex_login) {
    free(|| close::<OpenLogin>(login));
}
