/// `glovebox sandbox list|attach|exec|logs|stats|pause|resume|delete`: the operator's verbs against
/// a running worker, and the terminal that `attach` needs.
package dev.glovebox.cli.operator;
