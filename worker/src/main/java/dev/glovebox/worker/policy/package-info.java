/// Which policy a session's door judges by: the operator's files, what a session may wish of them,
/// and what an operator says by hand, while all of it can change.
package dev.glovebox.worker.policy;
