package dev.glovebox.worker.glob;

/// Text that can be looked at so many times only. An agent writes the patterns that are matched
/// here, and some would take a backtracking matcher for ever.
final class BoundedText implements CharSequence {
    private static final int LOOKS = 200_000;

    private final String text;
    private int looks;

    BoundedText(String text) {
        this.text = text;
    }

    @Override
    public int length() {
        return text.length();
    }

    @Override
    public char charAt(int index) {
        if (++looks > LOOKS) {
            throw new PatternException("pattern takes too long to match");
        }
        return text.charAt(index);
    }

    @Override
    public CharSequence subSequence(int start, int end) {
        return text.substring(start, end);
    }

    @Override
    public String toString() {
        return text;
    }
}
