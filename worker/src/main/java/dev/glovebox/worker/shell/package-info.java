/// The persistent shell of a session: one command after another, each with an end that nothing can
/// fake.
package dev.glovebox.worker.shell;
