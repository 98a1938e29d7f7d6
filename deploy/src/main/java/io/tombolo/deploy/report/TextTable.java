package io.tombolo.deploy.report;

import java.util.ArrayList;
import java.util.List;

/// A plain table: columns padded to their widest cell, two blanks between, numbers to the right, no lines and no
/// colour, so that it can be read, grepped and cut. Not thread safe.
public final class TextTable {
    private final List<String> head;
    private final List<List<String>> rows = new ArrayList<>();

    public TextTable(String... head) {
        this.head = List.of(head);
    }

    /// Adds a row below the others.
    ///
    /// @throws IllegalArgumentException if the number of cells is not the number of columns
    public TextTable row(Object... cells) {
        if (cells.length != head.size()) {
            throw new IllegalArgumentException("cells: " + cells.length + " of " + head.size());
        }
        List<String> row = new ArrayList<>();
        for (Object cell : cells) {
            row.add(String.valueOf(cell));
        }
        rows.add(row);
        return this;
    }

    /// Every line ends with a line feed; no blanks at the end of a line.
    public String text() {
        int columns = head.size();
        int[] widths = new int[columns];
        boolean[] right = new boolean[columns];
        for (int i = 0; i < columns; i++) {
            int column = i;
            widths[i] = rows.stream().mapToInt(r -> r.get(column).length()).reduce(head.get(i).length(), Math::max);
            right[i] = !rows.isEmpty() && rows.stream().allMatch(r -> isNumber(r.get(column)));
        }
        StringBuilder text = new StringBuilder(line(head, widths, right));
        rows.forEach(row -> text.append(line(row, widths, right)));
        return text.toString();
    }

    private static String line(List<String> cells, int[] widths, boolean[] right) {
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < cells.size(); i++) {
            String blanks = " ".repeat(widths[i] - cells.get(i).length());
            line.append(i == 0 ? "" : "  ").append(right[i] ? blanks + cells.get(i) : cells.get(i) + blanks);
        }
        return line.toString().stripTrailing() + "\n";
    }

    /// Digits, with a unit or without: `12`, `1.5 MiB`, `-`.
    private static boolean isNumber(String cell) {
        return cell.equals("-") || cell.matches("-?[0-9][0-9.,]*( ?(%|[A-Za-z]{1,3}))?");
    }
}
