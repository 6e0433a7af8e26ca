/// One session's life with this worker: its events, its calls, their results.
package dev.glovebox.worker.session;
