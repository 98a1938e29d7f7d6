package io.tombolo.chaos.rules;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// One Markdown file, as far as the rules need it: its prose (code left out), headings, links and table rows.
record Markdown(String path, List<String> prose) {
    private static final Pattern LINK = Pattern.compile("\\[[^\\]]*\\]\\(([^)\\s]+)\\)");
    private static final Pattern HEADING = Pattern.compile("^(#{1,6}) +(.*?) *$");

    /// A link as written: `text` is what a reader sees, `target` what follows in brackets.
    record Link(int line, String text, String target) {
    }

    static Markdown parse(String path, List<String> lines) {
        List<String> prose = new ArrayList<>();
        boolean fenced = false;
        for (String line : lines) {
            boolean fence = line.strip().startsWith("```");
            prose.add(fenced || fence ? "" : line);
            fenced ^= fence;
        }
        return new Markdown(path, List.copyOf(prose));
    }

    List<Link> links() {
        List<Link> found = new ArrayList<>();
        for (int i = 0; i < prose.size(); i++) {
            Matcher matcher = LINK.matcher(withoutInlineCodeOutsideLinks(prose.get(i)));
            while (matcher.find()) {
                String text = matcher.group().substring(1, matcher.group().indexOf("]("));
                found.add(new Link(i + 1, text, matcher.group(1)));
            }
        }
        return found;
    }

    /// What `#…` may name, spelt as the forges spell it: lower case, blanks to dashes, punctuation dropped.
    List<String> anchors() {
        return prose.stream().map(HEADING::matcher).filter(Matcher::matches)
                .map(heading -> heading.group(2).toLowerCase(Locale.ROOT).replaceAll("[^\\p{L}\\p{N} _-]", "")
                        .replace(' ', '-'))
                .toList();
    }

    /// The lines below each heading of this level up to the next heading of the same or a higher one, by heading text.
    Map<String, List<String>> sections(int level) {
        Map<String, List<String>> found = new LinkedHashMap<>();
        List<String> current = null;
        for (String line : prose) {
            Matcher heading = HEADING.matcher(line);
            if (heading.matches() && heading.group(1).length() <= level) {
                current = heading.group(1).length() == level ? new ArrayList<>() : null;
                if (current != null) {
                    found.put(heading.group(2), current);
                }
            } else if (current != null) {
                current.add(line);
            }
        }
        return found;
    }

    /// Cells of the body rows of the tables among these lines: head and ruler left out.
    static List<List<String>> rows(List<String> lines) {
        List<List<String>> found = new ArrayList<>();
        boolean body = false;
        for (String line : lines) {
            if (!line.startsWith("|")) {
                body = false;
            } else if (line.matches("\\|[ :|-]+\\|")) {
                body = true;
            } else if (body) {
                String inner = line.substring(1, line.lastIndexOf('|'));
                found.add(List.of(inner.split("\\|", -1)).stream().map(String::strip).toList());
            }
        }
        return found;
    }

    private static String withoutInlineCodeOutsideLinks(String line) {
        // `[x](y)` shown as code is no link, but a link's text may hold code.
        return line.replaceAll("`[^`]*\\]\\([^`]*`", "");
    }
}
