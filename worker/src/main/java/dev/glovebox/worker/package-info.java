/// The worker as a whole: its configuration, its life, and the place it opens for a session.
package dev.glovebox.worker;
