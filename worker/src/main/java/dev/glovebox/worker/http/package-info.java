/// The worker's HTTP: one adapter over `java.net.http`, with retries and a reader of event streams.
package dev.glovebox.worker.http;
