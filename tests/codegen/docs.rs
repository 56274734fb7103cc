//! What the documentation of generated types says beyond what their names tell.
//!
//! Relies on nothing. Invariant: our own sentences, kept short; a name here that the schema no
//! longer has fails the test.

/// Types that people meet first.
pub(crate) const TYPES: &[(&str, &str)] = &[
    (
        "AgentMessageThreadItem",
        "Text that the model addresses to the user; the last one of phase `final_answer` is the answer.",
    ),
    ("AskForApproval", "When the server asks before it runs something."),
    ("CodexErrorInfo", "The kind of an error that ended or delayed a turn, where the server knows it."),
    ("CollaborationMode", "Whether the model plans or works, with the settings that go with it."),
    (
        "CommandAction",
        "What the server makes of a command line: a read, a listing, a search, or none of these.",
    ),
    ("CommandExecParams", "Runs one command in the server's sandbox, outside of any thread."),
    ("CommandExecutionApprovalDecision", "The answers to a request to run a command."),
    (
        "CommandExecutionThreadItem",
        "A command that the model runs. Its output is whole only once the item is completed.",
    ),
    ("CollabAgentToolCallThreadItem", "A call to a sub-agent, whose turns run on threads of their own."),
    ("Config", "The configuration in force. Keys without a field here are in the raw reply."),
    ("ContextCompactionThreadItem", "Marks where the history was summed up."),
    ("DynamicToolCallParams", "A call of a tool that the client declared when it started the thread."),
    ("DynamicToolCallThreadItem", "A call of a tool that the client provides."),
    ("ErrorNotification", "An error of a turn. The turn goes on if `will_retry` says so."),
    ("FileChangeThreadItem", "A patch that the model applies, file by file."),
    ("FileUpdateChange", "One file of a patch: its path, what happens to it, and the text of the change."),
    ("InitializeParams", "The first request on a connection: who the client is and what it understands."),
    ("InitializeResponse", "Where the server runs and how it names itself."),
    ("ItemCompletedNotification", "An item has come to its end; its content is final."),
    ("ItemStartedNotification", "An item has begun. Not every item that begins is completed."),
    (
        "McpServerElicitationRequestParams",
        "A question of an MCP server to the user, or the approval of one of its tools.",
    ),
    ("McpToolCallThreadItem", "A call of an MCP server's tool."),
    ("Model", "A model that the server offers."),
    ("PlanThreadItem", "The plan that the model proposes in plan mode."),
    ("ReasoningThreadItem", "What the model thinks, in summary and, where it shows them, in its own words."),
    ("ReviewTarget", "What a review looks at."),
    ("SandboxPolicy", "What commands may touch while a turn runs."),
    ("Thread", "A conversation: its ids, its settings, and, where asked for, its turns."),
    ("ThreadForkParams", "Starts a new thread from the history of another one."),
    ("ThreadItem", "Anything that happens in a turn: messages, thoughts, commands, patches, tool calls."),
    ("ThreadListParams", "Asks for a page of the threads that are kept."),
    ("ThreadReadParams", "Reads a thread without loading it."),
    ("ThreadResumeParams", "Loads a thread that is kept, and subscribes this connection to it."),
    ("ThreadStartParams", "Starts a thread. All is optional; what is left out comes from the configuration."),
    ("ThreadStatus", "Whether a thread is loaded, idle, at work, or broken."),
    ("ThreadTokenUsage", "The tokens that a thread has used: in its last model call and in all."),
    ("Turn", "One round of work: what the user said and all that came of it."),
    (
        "TurnCompletedNotification",
        "A turn has ended: completed, failed, or interrupted. Late items may still follow.",
    ),
    ("TurnError", "Why a turn failed."),
    ("TurnInterruptParams", "Stops a turn. Refused until the turn has started."),
    (
        "TurnStartParams",
        "Gives a thread something to do. The overrides hold for this turn and those after it.",
    ),
    (
        "TurnStartedNotification",
        "The server has begun to work on a turn. For reviews the id differs from that of the reply.",
    ),
    ("TurnStatus", "How a turn stands."),
    ("TurnSteerParams", "Adds to the input of the turn that runs."),
    ("UserInput", "A piece of what the user says: text, a picture, a skill, a mention."),
    ("UserMessageThreadItem", "What the user said."),
    ("WebSearchThreadItem", "A search on the web. The query is empty until the item is completed."),
];

/// Fields whose name says too little.
pub(crate) const FIELDS: &[(&str, &str)] = &[
    ("AgentMessageThreadItem.phase", "Whether it comments on the work or is the final answer."),
    ("CommandExecutionThreadItem.aggregatedOutput", "What the command printed, in order; `None` if nothing."),
    ("ErrorNotification.willRetry", "The server tries again by itself; the turn is not over."),
    ("ThreadResumeParams.excludeTurns", "Leaves the turns out of the reply, which can be large."),
    ("Turn.items", "Empty in most notifications; see `items_view`."),
    ("TurnStartParams.clientUserMessageId", "Comes back as the `client_id` of the user's message."),
    ("TurnStartParams.outputSchema", "A JSON Schema that the final answer has to follow."),
    ("TurnSteerParams.expectedTurnId", "Refused unless this turn runs."),
    ("MentionUserInput.path", "An address such as `app://…` or `plugin://…`."),
];
