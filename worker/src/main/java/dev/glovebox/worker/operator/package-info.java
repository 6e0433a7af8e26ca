/// The operator's hand: what somebody at this machine may do to the sandboxes of a running worker,
/// over a UNIX socket.
///
/// ## Who
///
/// The socket lies in a directory of its own with mode 0700, made before the socket is, and has
/// mode 0600. Besides, the worker asks the kernel who has connected (`SO_PEERCRED`, unix(7)) and
/// hangs up unless that is the user the worker itself runs as. Nothing of it is in any sandbox.
/// Everything done here is logged with the user and the process id that the other side says it has.
///
/// ## The protocol, version 1
///
/// The client connects and sends one line of JSON, the worker answers with one line of JSON and
/// hangs up:
///
/// ```
/// {"v":1,"verb":"list","pid":4711}
/// {"ok":true,"sandboxes":[{"name":"sesn_1-1",...}]}
/// {"v":1,"verb":"pause","sandbox":"nobody"}
/// {"ok":false,"error":"no sandbox nobody; there are: sesn_1-1"}
/// ```
///
/// | verb | members | answer |
/// |---|---|---|
/// | `list` | `sandbox`: one only | `sandboxes`: [SandboxView] each |
/// | `logs` | `sandbox`; `after`: a number; `follow`: whether to wait for the next one | `calls`: [LoggedCall] each; `last`: what to ask `after` next |
/// | `pause`, `resume`, `delete` | `sandbox` | `sandboxes`: the one it was |
/// | `policy` | `do`: `show` (`sandbox`: one only), `apply` (`policy`: the text of a policy file; `sandboxes`) or `reset` (`sandboxes`: all if empty) | `sandboxes`: whose policy it is; for `show` of one, its `policy`, else `policies`, `read` and perhaps `fault` |
/// | `policy` | `do`: `questions`, or `answer` (`sandbox`, `destination`, `allowed`, `seconds`) | `questions`: what is asked; or `name` and `destination` |
/// | `exec` | `sandbox`, `argv`, and for a terminal `term`, `rows`, `columns` | `pid`, then frames |
///
/// After `exec` both sides send [Frame]s: a byte that says which, four bytes of length (big
/// endian), the content. The client may send 64 KiB of input before it is granted more, so the
/// worker never waits to read and notices at once when the client has gone.
///
/// ## What it cannot do
///
/// A request longer than [OperatorLimits#requestBytes], or that is not there in time, is answered
/// with a hang-up. Connections and processes are counted. A client that does not read its output
/// stops the process it started, as a full pipe does, and nothing else. No answer holds a key, a
/// token or the value of an environment variable: the worker has them, the records here do not.
package dev.glovebox.worker.operator;
