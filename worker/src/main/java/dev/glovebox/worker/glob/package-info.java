/// Patterns of file names as Node reads them, matched in bounded time.
package dev.glovebox.worker.glob;
