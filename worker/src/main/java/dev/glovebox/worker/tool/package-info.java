/// The six tools of the agent toolset, over the inside of a sandbox.
package dev.glovebox.worker.tool;
