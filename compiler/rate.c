// rate.c: the statements `schedule`, `patience` and `clip`: what they need of each other and of
// others, and the constants that the program is given; runtime/rate.c computes with them.
#include "emit.h"

#include <string.h>

static bool is_written(const Clause *clause, const char *name)
{
    const Setting *const found = find_setting(clause, name);
    return found && found->origin != ORIGIN_DEFAULT;
}

// What is watched must be there.
static void need_validation(const Program *program, const Clause *clause)
{
    const Setting *const part = setting(program->validation, "part");
    if (part->number > 0 || part->word)
        return;
    const Clause *const validation = program->validation;
    error_at(E410, clause->loc, "'%s' watches the validation, but no data is kept for it",
             loc_text(clause->loc));
    note_at(validation->loc, "write 'validation 10%%'%s", validation->loc.source ? " here" : "");
}

// Numbers to learn have a loss alone.
static void need_classes(const Program *program, const Clause *clause, const char *name)
{
    const Setting *const s = find_setting(clause, name);
    const bool of_classes =
        s->kind == SETTING_WORD ? s->word && !strcmp(s->word, "accuracy") : s->number > 1;
    if (!of_classes || !learns_numbers(program))
        return;
    error_at(E414, s->loc, "'%s' is about classes, but the data has numbers to learn",
             loc_text(clause->loc));
    note_at(program->data->loc, "the data set is named here");
}

static void check_clip(const Clause *clip)
{
    const Setting *const norm = setting(clip, "norm"), *const value = setting(clip, "value");
    const bool by_norm = is_written(clip, "norm"), by_value = is_written(clip, "value");
    if (by_norm && by_value) {
        error_at(E413, value->loc, "gradients are clipped by their norm or by value, not by both");
        note_at(norm->loc, "the norm's limit is here");
    } else if (!by_norm && !by_value) {
        error_at(E107, clip->loc, "'clip' needs a limit, as in 'clip norm 1' or 'clip value 0.5'");
    }
}

static void check_cosine(const Clause *schedule)
{
    const bool restarts = setting_number(schedule, "restart") > 0;
    const Setting *const other =
        setting(schedule, is_written(schedule, "t_mul") ? "t_mul" : "m_mul");
    if (restarts && is_written(schedule, "over")) {
        error_at(E411, setting(schedule, "over")->loc, "a cosine with restarts has no 'over'");
        note_at(setting(schedule, "restart")->loc, "the first fall takes this time");
    } else if (!restarts && other->origin != ORIGIN_DEFAULT) {
        error_at(E412, other->loc, "'%s' is of a cosine with restarts", other->name);
        note_at((Loc){0}, "write the time of the first fall, as in 'restart 10 epochs'");
    }
}

// How many steps an epoch has is not known here: only times of one unit can be told to rise.
static void check_times(const Setting *times)
{
    for (int i = 1; i < times->list_count; i++) {
        const Setting *const before = &times->list[i - 1], *const time = &times->list[i];
        if (time->unit != before->unit)
            error_at(E416, time->loc, "the times of '%s' have one unit, but '%s' follows '%s'",
                     times->name, setting_value(time), setting_value(before));
        else if (time->number <= before->number)
            error_at(E416, time->loc, "the times of '%s' rise, but '%s' follows '%s'", times->name,
                     setting_value(time), setting_value(before));
        else
            continue;
        note_at(before->loc, "the time before it is here");
    }
}

static void check_step(const Clause *schedule)
{
    const Setting *const every = setting(schedule, "every"), *const at = setting(schedule, "at");
    const bool by_distance = is_written(schedule, "every"), by_times = is_written(schedule, "at");
    if (by_distance && by_times) {
        error_at(E415, at->loc, "the rate changes at given times or every so often, not both");
        note_at(every->loc, "the time from one change to the next is here");
    } else if (!by_distance && !by_times) {
        error_at(E107, schedule->loc, "'%s' needs the times of the changes",
                 loc_text(schedule->loc));
        note_at((Loc){0}, "as in 'every 10 epochs' or 'at [90 epochs 135 epochs]'");
    }
    check_times(at);
}

// Keras' alpha, the end of its CosineDecay, is a part of the first rate, and `to` a rate.
static void check_end(const Program *program, const Clause *schedule)
{
    const Setting *const to = find_setting(schedule, "to");
    const double lr = setting_number(program->optimizer, "lr");
    if (error_count() || !to || to->number <= lr)
        return;
    const bool stays = !strcmp(setting_word(schedule, "kind"), "plateau");
    warn_at(to->origin == ORIGIN_DEFAULT ? schedule->loc : to->loc,
            "'to' is above the optimizer's rate of %s: the rate %s", number_text(lr),
            stays ? "never changes" : "rises");
    note_at((Loc){0}, "'to' is a rate; for a part of the first one write 'to %s'",
            format("%.12g", to->number * lr));
}

void check_rate(const Program *program)
{
    const Clause *const schedule = program->schedule;
    const char *const kind = setting_word(schedule, "kind");
    if (!strcmp(kind, "plateau")) {
        need_validation(program, schedule);
        need_classes(program, schedule, "watch");
    }
    if (program->clip)
        check_clip(program->clip);
    if (program->patience) {
        need_validation(program, program->patience);
        need_classes(program, program->patience, "watch");
    }
    if (program->metrics)
        need_classes(program, program->metrics, "top");
    if (!strcmp(kind, "cosine"))
        check_cosine(schedule);
    if (!strcmp(kind, "step"))
        check_step(schedule);
    check_end(program, schedule);
}

// --- constants ----------------------------------------------------------------------------------

static void add_field(Text *text, const char *name, const char *value)
{
    text_add(text, "%s.%s = %s", text->length ? ", " : "", name, value);
}

static const char *time_text(const Setting *s)
{
    const char *const unit = !s->unit ? "NN_SHARE" : *s->unit == 's' ? "NN_STEPS" : "NN_EPOCHS";
    return format("{%s, %s}", number_text(s->number), unit);
}

static void add_time(Text *text, const Clause *clause, const char *from, const char *name)
{
    const Setting *const s = setting(clause, from);
    if (s->number != 0)
        add_field(text, name, time_text(s));
}

static void add_times(Text *text, const Setting *s)
{
    Text list = {0};
    for (int i = 0; i < s->list_count; i++)
        text_add(&list, "%s%s", i ? ", " : "", time_text(&s->list[i]));
    if (!s->list_count)
        return;
    add_field(text, s->name, format("(const NnTime[]){%s}", list.text));
    add_field(text, format("%s_count", s->name), format("%d", s->list_count));
}

static const char *watch_text(const Clause *clause, const char *patience)
{
    return format("{%.0f, %s, %s}", setting_number(clause, patience),
                  strcmp(setting_word(clause, "watch"), "loss") ? "true" : "false",
                  number_text(setting_number(clause, "min_delta")));
}

static const char *schedule_text(const Clause *clause)
{
    static const struct {
        const char *word, *name;
    } kinds[] = {{"constant", NULL},
                 {"step", "NN_STEP"},
                 {"exponential", "NN_EXPONENTIAL"},
                 {"cosine", "NN_COSINE"},
                 {"polynomial", "NN_POLYNOMIAL"},
                 {"one_cycle", "NN_ONE_CYCLE"},
                 {"plateau", "NN_PLATEAU"}};
    static const char *const numbers[] = {"factor", "to",  "power",     "t_mul",   "m_mul",
                                          "rise",   "div", "final_div", "cooldown"};
    Text text = {0};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(setting_word(clause, "kind"), kinds[i].word) && kinds[i].name)
            add_field(&text, "kind", kinds[i].name);
    for (int i = 0; i < clause->setting_count; i++) {
        const char *const name = clause->settings[i].name;
        if (!strcmp(name, "warmup") || !strcmp(name, "restart"))
            add_time(&text, clause, name, name);
        if (!strcmp(name, "every") || !strcmp(name, "over"))
            add_time(&text, clause, name, "time");
        if (!strcmp(name, "at"))
            add_times(&text, &clause->settings[i]);
        if (!strcmp(name, "watch"))
            add_field(&text, name, watch_text(clause, "patience"));
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
            if (!strcmp(name, numbers[k]) && clause->settings[i].number != 0)
                add_field(&text, name, number_text(clause->settings[i].number));
    }
    return text.text;
}

void emit_rate(Out *out, const Program *program)
{
    const char *const text = schedule_text(program->schedule);
    if (text)
        line(out, ".schedule = {%s},", text);
    if (program->patience)
        line(out, ".stop = %s,", watch_text(program->patience, "time"));
}
