// Every command adds itself to `app`; when it is chosen, `chosen` is what main runs. Only main.cpp includes this, so that a new command does not
// compile all others anew.
#pragma once

#include "cli/context.h"

namespace icecore::cli {

void add_investigate(CLI::App& app, Globals& globals, Chosen& chosen);
void add_collect(CLI::App& app, Globals& globals, Chosen& chosen);
void add_triage(CLI::App& app, Globals& globals, Chosen& chosen);
void add_timeline(CLI::App& app, Globals& globals, Chosen& chosen);
void add_ls(CLI::App& app, Globals& globals, Chosen& chosen);
void add_cat(CLI::App& app, Globals& globals, Chosen& chosen);
void add_stat(CLI::App& app, Globals& globals, Chosen& chosen);
void add_extract(CLI::App& app, Globals& globals, Chosen& chosen);
void add_recover(CLI::App& app, Globals& globals, Chosen& chosen);
void add_acquire(CLI::App& app, Globals& globals, Chosen& chosen);
void add_mount(CLI::App& app, Globals& globals, Chosen& chosen);
void add_export(CLI::App& app, Globals& globals, Chosen& chosen);
void add_reset(CLI::App& app, Globals& globals, Chosen& chosen);
void add_upload(CLI::App& app, Globals& globals, Chosen& chosen);
void add_archive(CLI::App& app, Globals& globals, Chosen& chosen);
void add_verify(CLI::App& app, Globals& globals, Chosen& chosen);
void add_report(CLI::App& app, Globals& globals, Chosen& chosen);
void add_policy(CLI::App& app, Globals& globals, Chosen& chosen);
void add_workstation(CLI::App& app, Globals& globals, Chosen& chosen);
void add_cleanup(CLI::App& app, Globals& globals, Chosen& chosen);
void add_share(CLI::App& app, Globals& globals, Chosen& chosen);

}  // namespace icecore::cli
