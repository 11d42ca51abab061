#include "mailin/parse/library.h"

#include <dlfcn.h>
#include <string.h>

void *library_open(const char *file, const struct library_symbol *symbols, size_t count)
{
	void *library = dlopen(file, RTLD_LAZY | RTLD_LOCAL);

	for (size_t i = 0; library != NULL && i < count; i++) {
		void *symbol = dlsym(library, symbols[i].name);

		/* C has no conversion from dlsym()'s pointer to a function's; POSIX promises that
		 * the bytes are the same. */
		memcpy(symbols[i].function, &symbol, sizeof(symbol));
		if (symbol == NULL)
			library_close(&library);
	}
	return library;
}

void library_close(void **library)
{
	if (*library != NULL)
		dlclose(*library);
	*library = NULL;
}
