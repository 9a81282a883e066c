// lines.c: two texts compared line by line, and shown in hunks as diff -u does.
#include "diff.h"

Lines compare_lines(const Listing *left, const Listing *right)
{
    const int n = left->count, m = right->count;
    bool *const removed = allocate((size_t)n + 1), *const added = allocate((size_t)m + 1);
    edit_script(left->keys, n, right->keys, m, removed, added);
    Lines lines = {.list = allocate(((size_t)n + (size_t)m + 1) * sizeof(Line))};
    int i = 0, j = 0;
    while (i < n || j < m) {
        Line line = {' ', j < m ? right->texts[j] : "", left->first + i, right->first + j};
        if (i < n && removed[i]) {
            line.mark = '-';
            line.text = left->texts[i++];
            lines.removed++;
        } else if (j < m && added[j]) {
            line.mark = '+';
            j++;
            lines.added++;
        } else {
            i++;
            j++;
        }
        lines.list[lines.count++] = line;
    }
    return lines;
}

// Whether a line that differs is at most `context` lines away.
bool is_near_change(const Lines *lines, int index, int context)
{
    const int from = index > context ? index - context : 0;
    const int to = lines->count - 1 - index > context ? index + context : lines->count - 1;
    for (int i = from; i <= to; i++)
        if (lines->list[i].mark != ' ')
            return true;
    return false;
}

static void paint_place(Painting *to, const Lines *lines, int from, int until, const char *title)
{
    int left = 0, right = 0;
    for (int i = from; i < until; i++) {
        left += lines->list[i].mark != '+';
        right += lines->list[i].mark != '-';
    }
    const Line *const first = &lines->list[from];
    // diff's convention: an empty side counts from the line before
    paint(to, STYLE_PLACE, "@@ -%d,%d +%d,%d @@ %s", first->left - !left, left,
          first->right - !right, right, title);
}

void paint_line(Painting *to, const Line *line)
{
    const Style style = line->mark == '-'   ? STYLE_REMOVED
                        : line->mark == '+' ? STYLE_ADDED
                                            : STYLE_PLAIN;
    paint(to, style, "%c%s", line->mark, line->text);
}

void paint_hunks(Painting *to, const Lines *lines, int context, const char *title)
{
    for (int i = 0; i < lines->count; i++) {
        if (!is_near_change(lines, i, context))
            continue;
        int until = i;
        while (until < lines->count && is_near_change(lines, until, context))
            until++;
        paint_place(to, lines, i, until, title);
        for (; i < until; i++)
            paint_line(to, &lines->list[i]);
    }
}
