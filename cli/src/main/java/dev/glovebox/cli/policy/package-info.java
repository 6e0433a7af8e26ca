/// `glovebox policy`: what an egress policy means, what is wrong with it, and one that is proposed
/// from what sandboxes did.
package dev.glovebox.cli.policy;
