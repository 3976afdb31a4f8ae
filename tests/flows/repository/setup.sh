echo "set up" | tee made-by-setup
