//! What the server lists in pages, as iterators: threads, the turns of a thread, models.
//!
//! Relies on the typed requests. Invariant: whatever cursors a server sends, an iterator ends, and each item
//! takes at most the request limit; nothing is kept but one page.

use std::{
    collections::{HashSet, hash_map::RandomState},
    fmt,
    hash::BuildHasher,
    iter::FusedIterator,
    vec,
};

use serde::de::Error as _;

use super::{Client, thread::check_thread_id};
use crate::{
    config::{ListModels, ListThreads},
    deadline::Deadline,
    error::{Error, Result},
    protocol::{
        ClientRequest, Model, ModelListParams, SortDirection, Thread, ThreadListParams, ThreadReadParams,
        ThreadTurnsListParams, ThreadTurnsListResponse, Turn, TurnItemsView,
    },
    setting::Setting,
};

/// How many pages an iterator reads at most.
const MOST_PAGES: usize = 10_000;

/// How many turns are read at once.
const TURNS: u32 = 50;

/// An iterator over what the server lists in pages, such as [`Client::threads`], [`ThreadHandle::turns`] and
/// [`Client::models`].
///
/// It reads a page when the previous one is used up, and keeps one page. An error ends it. A server whose list
/// does not end is an error too: a cursor that comes twice, or more than 10 000 pages ([`Error::Decode`]).
///
/// `next` blocks for at most the request limit. The iterator keeps the connection open.
///
/// [`ThreadHandle::turns`]: crate::ThreadHandle::turns
#[must_use = "nothing is read until the iterator is used"]
pub struct Paged<T> {
    client: Client,
    method: &'static str,
    read: Box<ReadPage<T>>,
    items: vec::IntoIter<T>,
    next: NextPage,
    /// The hashes of the cursors so far: cursors can be long.
    seen: HashSet<u64>,
    hasher: RandomState,
}

/// Reads the page at a cursor.
type ReadPage<T> = dyn Fn(&Client, Option<String>, Deadline) -> Result<Page<T>> + Send + Sync;

struct Page<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
}

/// What follows the current page.
enum NextPage {
    At(Option<String>),
    Failed(Error),
    End,
}

impl<T> Paged<T> {
    fn new(
        client: &Client,
        method: &'static str,
        cursor: Option<String>,
        read: impl Fn(&Client, Option<String>, Deadline) -> Result<Page<T>> + Send + Sync + 'static,
    ) -> Self {
        let hasher = RandomState::new();
        let seen = cursor.iter().map(|cursor| hasher.hash_one(cursor)).collect();
        Paged {
            client: client.clone(),
            method,
            read: Box::new(read),
            items: Vec::new().into_iter(),
            next: NextPage::At(cursor),
            seen,
            hasher,
        }
    }

    /// What follows a page with this cursor.
    fn after(&mut self, next_cursor: Option<String>) -> NextPage {
        let Some(cursor) = next_cursor else { return NextPage::End };
        let is_new = self.seen.insert(self.hasher.hash_one(&cursor));
        let fault = match is_new {
            false => "a cursor that it has sent before",
            true if self.seen.len() >= MOST_PAGES => "more than 10000 pages",
            true => return NextPage::At(Some(cursor)),
        };
        let source = serde_json::Error::custom(format!("the server sent {fault}: the list has no end"));
        NextPage::Failed(Error::decode(format!("the cursor of {}", self.method), &cursor, source))
    }
}

impl<T> Iterator for Paged<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        // For all pages that this call reads: a server may send empty ones.
        let mut deadline = None;
        loop {
            if let Some(item) = self.items.next() {
                return Some(Ok(item));
            }
            match std::mem::replace(&mut self.next, NextPage::End) {
                NextPage::End => return None,
                NextPage::Failed(error) => return Some(Err(error)),
                NextPage::At(cursor) => {
                    let deadline = *deadline.get_or_insert_with(|| self.client.deadline());
                    match (self.read)(&self.client, cursor, deadline) {
                        Err(error) => return Some(Err(error)),
                        Ok(page) => {
                            self.next = self.after(page.next_cursor);
                            self.items = page.items.into_iter();
                        }
                    }
                }
            }
        }
    }
}

impl<T> FusedIterator for Paged<T> {}

impl<T> fmt::Debug for Paged<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paged").field("method", &self.method).finish_non_exhaustive()
    }
}

impl Client {
    /// Returns an iterator over the stored threads, which reads page after page;
    /// [`limit`](ListThreads::limit) is the size of a page. Threads without a turn are not included.
    ///
    /// Sends nothing by itself; each `next` blocks for at most the request limit. Use
    /// [`list_threads`](Self::list_threads) for a page of your own.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// use codex_blocking::ListThreads;
    ///
    /// for thread in client.threads(ListThreads::new().cwd("/my/project")) {
    ///     let thread = thread?;
    ///     println!("{} {}", thread.id, thread.preview);
    /// }
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn threads(&self, options: ListThreads) -> Paged<Thread> {
        let params = options.params;
        let cursor = params.cursor.value().cloned();
        Paged::new(self, ThreadListParams::METHOD, cursor, move |client, cursor, deadline| {
            let mut params = params.clone();
            params.cursor = Setting::unset_if_none(cursor);
            let page = client.call_until(params, deadline)?.into_inner();
            Ok(Page { items: page.data, next_cursor: page.next_cursor })
        })
    }

    /// Returns an iterator over the turns of a thread, oldest first, with all their items. The thread need not be
    /// loaded.
    ///
    /// Reads page after page. Sends nothing by itself; each `next` blocks for at most the request limit. A turn
    /// that is running is included, with the items that are stored so far.
    /// [`Turn::steps`](crate::protocol::Turn::steps) shows a turn as [`chat`](Self::chat) does, and
    /// [`Transcript::from_turns`](crate::Transcript::from_turns) as a screen does.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// # let id = client.chat_once("hello")?.thread_id;
    /// for turn in client.thread_turns(&id) {
    ///     for step in turn?.steps() {
    ///         println!("{step}");
    ///     }
    /// }
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    ///
    /// A thread without a turn has none. The iterator yields [`Error::Rpc`] if the thread doesn't exist or is
    /// ephemeral, and for a moment when its first turn has just started; [`Error::InvalidInput`] if the id is
    /// empty.
    pub fn thread_turns(&self, id: &str) -> Paged<Turn> {
        const METHOD: &str = ThreadTurnsListParams::METHOD;
        let id = id.to_owned();
        Paged::new(self, METHOD, None, move |client, cursor, deadline| {
            check_thread_id(&id)?;
            let mut params = ThreadTurnsListParams::new(&id)
                .limit(TURNS)
                .items_view(TurnItemsView::Full)
                .sort_direction(SortDirection::Asc);
            // Later pages continue what the server has listed, and have to come.
            let is_first = cursor.is_none();
            params.cursor = Setting::unset_if_none(cursor);
            let page = match client.call_until(params, deadline) {
                // Servers before 0.128 read them all at once.
                Err(Error::Rpc { message, .. })
                    if is_first && message.contains("unknown variant `thread/turns/list`") =>
                {
                    let params = ThreadReadParams::new(&id).include_turns(true);
                    let read = client.call_until(params, deadline);
                    read.map(|read| Page { items: read.into_inner().thread.turns, next_cursor: None })
                }
                listed => listed.map(|page| {
                    let ThreadTurnsListResponse { data, next_cursor, .. } = page.into_inner();
                    Page { items: data, next_cursor }
                }),
            };
            match page {
                // A thread is stored with its first turn.
                Err(Error::Rpc { message, .. })
                    if is_first && message.contains("is not materialized yet") =>
                {
                    Ok(Page { items: Vec::new(), next_cursor: None })
                }
                page => page,
            }
        })
    }

    /// Returns an iterator over the models and their capabilities, which reads page after page. Models that the
    /// server hides from its model picker are not included: use [`list_models`](Self::list_models) for them.
    ///
    /// Sends nothing by itself; each `next` blocks for at most the request limit.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// for model in client.models() {
    ///     println!("{}", model?.display_name);
    /// }
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn models(&self) -> Paged<Model> {
        let ListModels { params, .. } = ListModels::new();
        Paged::new(self, ModelListParams::METHOD, None, move |client, cursor, deadline| {
            let mut params = params.clone();
            params.cursor = Setting::unset_if_none(cursor);
            let page = client.call_until(params, deadline)?.into_inner();
            Ok(Page { items: page.data, next_cursor: page.next_cursor })
        })
    }
}
