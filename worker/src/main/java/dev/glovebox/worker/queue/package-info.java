/// The environment's queue as a worker sees it: polling, acknowledging, and holding a lease.
package dev.glovebox.worker.queue;
